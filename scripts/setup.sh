#!/bin/sh
# Installs what the project needs and the machine lacks: Debian packages, as root or through sudo.
set -eu
packages="libprotobuf-c-dev libpng-dev libjpeg62-turbo-dev zlib1g-dev build-essential binutils python3 python3-venv pkg-config"
missing=
for package in $packages; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing="$missing $package"
done
[ -n "$missing" ] || exit 0
echo "installing:$missing" >&2
run=
[ "$(id -u)" = 0 ] || run=sudo
$run apt-get update -qq
DEBIAN_FRONTEND=noninteractive $run apt-get install -y -qq --no-install-recommends $missing >/dev/null
