/* The live picture in a terminal: the four-colour state of each area, the active alarms, the stream counters. */
#ifndef PLATFORM_VIEW_H
#define PLATFORM_VIEW_H

#include <stdint.h>
#include <stdio.h>

#include "gateway.h"

/* Draws the first gateway (and says how many more there are). home: begin by moving the cursor to the top, instead of
 * appending. elapsed_s: since the start. */
void view_draw(FILE *to, const struct gateway *first, const struct violations *v, int64_t elapsed_s,
               bool home);

#endif
