/* The four colours, in order. */
#ifndef PLATFORM_LEVEL_H
#define PLATFORM_LEVEL_H

enum platform_level { PL_NONE, PL_BLUE, PL_YELLOW, PL_ORANGE, PL_RED, PL_BAD = -1 };
enum platform_level platform_level(const char *name); /* takes NULL: PL_BAD */
const char *platform_level_name(enum platform_level level);

#endif
