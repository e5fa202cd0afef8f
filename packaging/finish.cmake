# Run by CPack over what was gathered, before it becomes packages.
file(GLOB_RECURSE found LIST_DIRECTORIES false ${CPACK_TEMPORARY_DIRECTORY}/*)
foreach(file ${found})
  # Manual pages and changelogs are compressed, as Debian's policy asks.
  if(file MATCHES "/share/man/.*\\.[0-9]$" OR file MATCHES "/share/doc/[^/]+/changelog$")
    execute_process(COMMAND gzip -9nf ${file} COMMAND_ERROR_IS_FATAL ANY)
  endif()
  if(file MATCHES "/bin/[^/]+$|/libexec/riskgate/")
    execute_process(COMMAND ${CPACK_OBJCOPY_EXECUTABLE} --remove-section=.comment ${file} COMMAND_ERROR_IS_FATAL ANY)
  endif()
endforeach()

# dpkg-shlibdeps looks for the libraries of the machine that the packages are for.
if(CPACK_DEBIAN_PACKAGE_ARCHITECTURE)
  set(ENV{DEB_HOST_ARCH} ${CPACK_DEBIAN_PACKAGE_ARCHITECTURE})
endif()
