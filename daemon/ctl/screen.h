/* What `--watch` draws on a terminal: one frame over the last one, so that nothing flickers or scrolls. Pure. */
#ifndef RG_CTL_SCREEN_H
#define RG_CTL_SCREEN_H

#include <stdbool.h>
#include <stdio.h>

/* What ends a frame that was cut off. */
#define SCREEN_RESTORE "\033[?7h\033[0m\n"

/* Writes text as a frame of so many rows, the last of which stays empty for the cursor; rows below 3 count as 24 (nobody knows).
 * first: the screen is cleared before. Lines that are longer than the screen is wide are cut by the terminal; of what has too
 * many lines, the last row says how many there are more. */
void screen_draw(const char *text, unsigned rows, bool first, FILE *to);

#endif
