# Debian packages: cpack -G DEB in the build folder. Which file belongs to which: install.cmake.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME riskgate)
set(CPACK_PACKAGE_VENDOR "riskgate")
set(CPACK_PACKAGE_CONTACT "riskgate maintainers <maintainers@users.noreply.h-seed-e1a063cc.example>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "") # each package has its own
set(CPACK_PACKAGING_INSTALL_PREFIX ${CMAKE_INSTALL_PREFIX})
set(CPACK_COMPONENTS_ALL riskgate simulators)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_GROUPING IGNORE)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE
    WORLD_READ WORLD_EXECUTE)
set(CPACK_PRE_BUILD_SCRIPTS ${PROJECT_SOURCE_DIR}/packaging/finish.cmake)

set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)

set(CPACK_DEBIAN_RISKGATE_PACKAGE_NAME riskgate)
set(CPACK_COMPONENT_RISKGATE_DESCRIPTION "gateway from workplace hazards to the authority watching over them
Reads gas, dust and temperature detectors and tailings-dam monitors over
Modbus, decides by written rules whether each area is at red, orange,
yellow or blue risk, keeps every reading and every alarm on its own disk,
and tells one or many platforms over MQTT.

This package holds the daemon and its service, the operator's tool
riskgatectl, rule packs, and profiles of devices.")
set(CPACK_DEBIAN_RISKGATE_PACKAGE_DEPENDS "adduser")
set(CPACK_DEBIAN_RISKGATE_PACKAGE_RECOMMENDS "ca-certificates")
set(CPACK_DEBIAN_RISKGATE_PACKAGE_SUGGESTS "riskgate-simulators")
file(WRITE ${CMAKE_BINARY_DIR}/packaging/conffiles "/etc/riskgate/riskgate.yaml\n")
set(CPACK_DEBIAN_RISKGATE_PACKAGE_CONTROL_EXTRA
    ${PROJECT_SOURCE_DIR}/packaging/postinst ${PROJECT_SOURCE_DIR}/packaging/prerm ${PROJECT_SOURCE_DIR}/packaging/postrm
    ${CMAKE_BINARY_DIR}/packaging/conffiles)

set(CPACK_DEBIAN_SIMULATORS_PACKAGE_NAME riskgate-simulators)
set(CPACK_COMPONENT_SIMULATORS_DESCRIPTION "simulated Modbus plants and MQTT platforms to try riskgate with
riskgate-plant plays a whole plant of Modbus TCP and RTU devices, with
faults; riskgate-platform plays the authority's platform, and checks every
message that a gateway sends.

They are for trials, training and acceptance tests, and not needed on a
gateway.")

# riskgate-dbgsym: what a core file of a stripped program is read with.
set(CPACK_DEBIAN_DEBUGINFO_PACKAGE ON)
set(CPACK_OBJCOPY_EXECUTABLE ${CMAKE_OBJCOPY})

# Cross-built (cmake/toolchain-*.cmake): the packages are the other machine's.
if(RG_DEBIAN_ARCHITECTURE)
  set(CPACK_DEBIAN_PACKAGE_ARCHITECTURE ${RG_DEBIAN_ARCHITECTURE})
endif()

# The changelog of the packages tells of this version first.
file(STRINGS packaging/changelog newest LIMIT_COUNT 1)
if(NOT newest MATCHES "^riskgate \\(${PROJECT_VERSION}\\) ")
  message(FATAL_ERROR "packaging/changelog does not begin with version ${PROJECT_VERSION}: ${newest}")
endif()

include(CPack)
