# Outside libraries, all Debian packages. Each has one home (see CONTRIBUTING.md).
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
pkg_check_modules(UV REQUIRED IMPORTED_TARGET libuv)
pkg_check_modules(MODBUS REQUIRED IMPORTED_TARGET libmodbus)
pkg_check_modules(SQLITE REQUIRED IMPORTED_TARGET sqlite3)
pkg_check_modules(FYAML REQUIRED IMPORTED_TARGET libfyaml)
pkg_check_modules(CJSON REQUIRED IMPORTED_TARGET libcjson)
pkg_check_modules(CRYPTO REQUIRED IMPORTED_TARGET libcrypto)
pkg_check_modules(SSL REQUIRED IMPORTED_TARGET libssl)
pkg_check_modules(SYSTEMD REQUIRED IMPORTED_TARGET libsystemd)

# Debian's Paho has no .pc file. "as": asynchronous, TLS flavour.
find_library(PAHO_LIBRARY NAMES paho-mqtt3as REQUIRED)
find_path(PAHO_INCLUDE NAMES MQTTAsync.h REQUIRED)
add_library(paho INTERFACE)
target_link_libraries(paho INTERFACE ${PAHO_LIBRARY})
target_include_directories(paho SYSTEM INTERFACE ${PAHO_INCLUDE})

# The synchronous flavour (TLS, too), for the simulator that plays the platform.
find_library(PAHO_SYNC_LIBRARY NAMES paho-mqtt3cs REQUIRED)
add_library(paho_sync INTERFACE)
target_link_libraries(paho_sync INTERFACE ${PAHO_SYNC_LIBRARY})
target_include_directories(paho_sync SYSTEM INTERFACE ${PAHO_INCLUDE})
