/* What is wrong with the files: gathered while they are read, put in order of place at the end. */
#ifndef RG_CONFIG_ISSUE_H
#define RG_CONFIG_ISSUE_H

#include "config/load.h"

/* User text inside a message: cut to a readable length. Use in place: shown(text).text. */
struct shown {
    char text[84];
};
struct shown shown(const char *text);

void issue_error(struct load *ld, struct place at, const char *format, ...) RG_PRINTF(3, 4);
void issue_warning(struct load *ld, struct place at, const char *format, ...) RG_PRINTF(3, 4);
/* The file as a whole. */
struct place issue_file(uint32_t file);

/* "; did you mean `x`?" or "". The number of names compared in one load is bounded. */
struct shown issue_nearest(struct load *ld, const char *text, const char *const *names, size_t count);

/* Sorts what was found and hands it to ld->config, with columns and source lines. */
void issue_finish(struct load *ld);

#endif
