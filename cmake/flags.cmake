# Warnings are errors, with both compilers; sanitizers by the presets asan and tsan.
add_compile_options(-Wall -Wextra -Wconversion -Wshadow -Werror
                    -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith
                    -Wformat=2 -Wundef -Wcast-qual -Wvla
                    -fno-common -fstack-protector-strong)
add_compile_definitions(_GNU_SOURCE RG_VERSION="${PROJECT_VERSION}")

if(NOT CMAKE_BUILD_TYPE STREQUAL "Debug" AND RG_SANITIZE STREQUAL "")
  add_compile_definitions(_FORTIFY_SOURCE=2)
endif()

if(NOT RG_SANITIZE STREQUAL "")
  add_compile_options(-fsanitize=${RG_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${RG_SANITIZE})
endif()

# Coverage for libFuzzer in everything that is fuzzed, not only in the target itself.
if(RG_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
