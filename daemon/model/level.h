/* Risk levels, the same everywhere and never reordered: red > orange > yellow > blue > none
 * (重大 较大 一般 低; 标本兼治遏制较大以上生产安全事故工作方案 四(二)3, see contract §2 "Rules"). */
#ifndef RG_MODEL_LEVEL_H
#define RG_MODEL_LEVEL_H

#include "base/error.h"

enum level { LEVEL_NONE, LEVEL_BLUE, LEVEL_YELLOW, LEVEL_ORANGE, LEVEL_RED };
#define LEVEL_COUNT 5

const char *level_name(enum level level); /* "none" "blue" "yellow" "orange" "red" */
RG_NODISCARD enum rg_err level_parse(const char *name, enum level *out); /* RG_ENOTFOUND */

#endif
