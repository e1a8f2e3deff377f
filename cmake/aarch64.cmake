# SPDX-License-Identifier: MIT
# Cross compiling for 64-bit ARM with Debian's gcc-aarch64-linux-gnu and its libraries for arm64;
# what was built runs under qemu-user. `make arm` uses it, scripts/setup.sh --arm installs the rest.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64)
set(ENV{PKG_CONFIG_LIBDIR} /usr/lib/aarch64-linux-gnu/pkgconfig:/usr/share/pkgconfig)
