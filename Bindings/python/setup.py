"""Puts libapus.so inside the wheel and tags the wheel with this machine's platform, for every Python 3."""

import os
import shutil
from pathlib import Path

from setuptools import Distribution, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_py import build_py

REPOSITORY = Path(__file__).resolve().parent.parent.parent


class BuildWithLibrary(build_py):
    def run(self):
        super().run()
        if self.editable_mode:
            return
        library = Path(os.environ.get("APUS_LIBRARY") or REPOSITORY / "build" / "libapus.so")
        if not library.is_file():
            raise SystemExit(f"{library} does not exist: run `make lib` first, or set APUS_LIBRARY")
        shutil.copy(library, Path(self.build_lib) / "apus" / "libapus.so")


class PlatformPackage(Distribution):
    def has_ext_modules(self):
        return True


class PlatformWheel(bdist_wheel):
    def get_tag(self):
        return ("py3", "none", super().get_tag()[2])


setup(distclass=PlatformPackage, cmdclass={"build_py": BuildWithLibrary, "bdist_wheel": PlatformWheel})
