# Warnings are errors, with both compilers; sanitizers by the presets asan and tsan.
add_compile_options(-Wall -Wextra -Wconversion -Wshadow -Werror
                    -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith
                    -Wformat=2 -Wundef -Wcast-qual -Wvla
                    -fno-common -fstack-protector-strong)
add_compile_definitions(_GNU_SOURCE RG_VERSION="${PROJECT_VERSION}")

if(NOT CMAKE_BUILD_TYPE STREQUAL "Debug" AND RG_SANITIZE STREQUAL "")
  add_compile_definitions(_FORTIFY_SOURCE=2)
endif()

# The addresses of library functions are bound at the start and cannot be written afterwards; a large stack frame cannot jump over the
# guard page. (Position-independent programs are the default of Debian's compilers.)
add_link_options(-Wl,-z,relro -Wl,-z,now)
include(CheckCCompilerFlag)
set(CMAKE_REQUIRED_FLAGS -Werror)
check_c_compiler_flag(-fstack-clash-protection RG_HAS_STACK_CLASH_PROTECTION)
check_c_compiler_flag(-fcf-protection RG_HAS_CF_PROTECTION)
unset(CMAKE_REQUIRED_FLAGS)
if(RG_HAS_STACK_CLASH_PROTECTION)
  add_compile_options(-fstack-clash-protection)
endif()
if(RG_HAS_CF_PROTECTION)
  add_compile_options(-fcf-protection)
endif()

# On 32-bit machines: files above 2 GiB, and times after January 2038.
if(CMAKE_SIZEOF_VOID_P EQUAL 4)
  add_compile_definitions(_FILE_OFFSET_BITS=64 _TIME_BITS=64)
endif()

if(NOT RG_SANITIZE STREQUAL "")
  add_compile_options(-fsanitize=${RG_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${RG_SANITIZE})
endif()

# Coverage for libFuzzer in everything that is fuzzed, not only in the target itself.
if(RG_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
