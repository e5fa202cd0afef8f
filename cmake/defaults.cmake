# What nobody asked for otherwise. Included before GNUInstallDirs, which looks at the prefix.

# A build without optimisation is asked for (Debug), not got by accident.
if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "Debug, Release or RelWithDebInfo" FORCE)
endif()

# Paths that are compiled in, or written into the unit, are those of Debian's package: /usr, /etc, /var. Another prefix can be given.
if(CMAKE_INSTALL_PREFIX_INITIALIZED_TO_DEFAULT)
  set(CMAKE_INSTALL_PREFIX /usr CACHE PATH "Where to install" FORCE)
endif()

# The package that whatever is installed belongs to; the simulators name theirs.
set(CMAKE_INSTALL_DEFAULT_COMPONENT_NAME riskgate)
