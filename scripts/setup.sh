#!/bin/sh
# Installs what the project needs and the machine lacks: packages that Debian and Ubuntu both have, and those that are named, as
# root or through sudo.
set -eu
packages="libprotobuf-c-dev libpng-dev libjpeg-dev zlib1g-dev build-essential binutils python3 python3-venv pkg-config"
missing=
for package in $packages "$@"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing="$missing $package"
done
[ -n "$missing" ] || exit 0
echo "installing:$missing" >&2
run=
if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || { echo "setup.sh: neither root nor sudo; as root: apt-get install$missing" >&2; exit 1; }
    run=sudo
fi
$run apt-get update -qq
$run env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
