# rg_library(<name> FOLDER <dir below the root> [LINKS <lib>...] [PRIVATE <lib>...])
#
# One folder, one library, rg_<name>. Its headers are reachable as
# "<last part of dir>/x.h" ("drivers/modbus/x.h" for a driver) and only by
# targets that link it: the include path is a folder that holds one link to
# this folder and nothing else. So a wrong #include does not compile.
function(rg_expose name target path)
  set(root ${CMAKE_BINARY_DIR}/include/${name})
  get_filename_component(parent ${root}/${path} DIRECTORY)
  file(MAKE_DIRECTORY ${parent})
  file(CREATE_LINK ${target} ${root}/${path} SYMBOLIC)
endfunction()

function(rg_library name)
  cmake_parse_arguments(A "" "FOLDER;AS" "LINKS;PRIVATE" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${A_FOLDER}/*.c)
  if(NOT A_AS)
    get_filename_component(A_AS ${A_FOLDER} NAME)
  endif()
  rg_expose(${name} ${PROJECT_SOURCE_DIR}/${A_FOLDER} ${A_AS})
  if(sources)
    add_library(rg_${name} STATIC ${sources})
    target_include_directories(rg_${name} PUBLIC ${CMAKE_BINARY_DIR}/include/${name})
    target_link_libraries(rg_${name} PUBLIC ${A_LINKS} PRIVATE ${A_PRIVATE})
  else()
    add_library(rg_${name} INTERFACE)
    target_include_directories(rg_${name} INTERFACE ${CMAKE_BINARY_DIR}/include/${name})
    target_link_libraries(rg_${name} INTERFACE ${A_LINKS})
  endif()
endfunction()
