# What is installed where, and so what the packages hold (package.cmake). Unit, sysusers.d and tmpfiles.d: systemd/CMakeLists.txt.
set(data ${CMAKE_INSTALL_DATADIR}/riskgate)

install(TARGETS riskgated riskgatectl)
install(TARGETS riskgate-plant riskgate-platform COMPONENT simulators)

# The operator's file, never touched by an upgrade.
install(FILES packaging/riskgate.yaml DESTINATION ${CMAKE_INSTALL_FULL_SYSCONFDIR}/riskgate)

# Rule packs, which a configuration includes by their path; profiles of real devices; examples, which stay beside the packs they
# include; and what an editor checks and completes a configuration with.
install(DIRECTORY config/rules DESTINATION ${data} FILES_MATCHING PATTERN "*.yaml" PATTERN "example.yaml" EXCLUDE)
install(DIRECTORY config/profiles config/examples DESTINATION ${data} FILES_MATCHING PATTERN "*.yaml")
install(FILES config/riskgate.schema.json config/profile.schema.json DESTINATION ${data})

install(FILES completion/riskgatectl.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions
        RENAME riskgatectl)

# What people read. The folder of documents becomes the package's own, which the README's links have to follow.
install(DIRECTORY docs/ DESTINATION ${CMAKE_INSTALL_DOCDIR} PATTERN man EXCLUDE)
foreach(readme README.md README.zh.md)
  file(READ ${readme} text)
  string(REPLACE "](docs/" "](" text "${text}")
  file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/packaging/${readme} CONTENT "${text}" @ONLY)
  install(FILES ${CMAKE_BINARY_DIR}/packaging/${readme} DESTINATION ${CMAKE_INSTALL_DOCDIR})
endforeach()
set(simulators_doc ${CMAKE_INSTALL_DATAROOTDIR}/doc/riskgate-simulators)
install(FILES simulators/plant/README.md DESTINATION ${simulators_doc} COMPONENT simulators)
install(FILES simulators/first/plant.yaml DESTINATION ${simulators_doc}/examples COMPONENT simulators)

install(FILES CHANGELOG.md packaging/copyright packaging/changelog DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES packaging/copyright packaging/changelog DESTINATION ${simulators_doc} COMPONENT simulators)

# Manual pages: name.SECTION in docs/man. Those of the simulators go with them.
file(GLOB pages CONFIGURE_DEPENDS docs/man/*.[158])
foreach(page ${pages})
  get_filename_component(name ${page} NAME)
  string(REGEX REPLACE ".*\\." "" section ${name})
  set(component riskgate)
  if(name MATCHES "^riskgate-pl")
    set(component simulators)
  endif()
  install(FILES ${page} DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section} COMPONENT ${component})
endforeach()

# What lintian takes for mistakes, and why they are none.
set(overrides ${CMAKE_INSTALL_DATAROOTDIR}/lintian/overrides)
install(FILES packaging/lintian/riskgate DESTINATION ${overrides})
install(FILES packaging/lintian/riskgate-simulators DESTINATION ${overrides} COMPONENT simulators)
