# For Debian's armhf, with Debian's cross compiler and the libraries of that machine beside one's own (dpkg --add-architecture armhf).
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR arm)
set(RG_DEBIAN_ARCHITECTURE armhf)

set(CMAKE_C_COMPILER arm-linux-gnueabihf-gcc)
set(CMAKE_LIBRARY_ARCHITECTURE arm-linux-gnueabihf)
set(ENV{PKG_CONFIG_LIBDIR} /usr/lib/arm-linux-gnueabihf/pkgconfig:/usr/share/pkgconfig)

# Tests run as they would there; their helpers are the machine's own.
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-arm-static)
