/* A line of a test site's text, cut into words; within tests/support only. A mistake ends the test program. */
#ifndef RG_TESTS_SUPPORT_LINE_H
#define RG_TESTS_SUPPORT_LINE_H

#include "support_site.h"

#define WORD_MAX 256

/* One line, cut into words as it is read. */
struct line {
    const char *text; /* the whole line, for complaints */
    size_t length;
    const char *at; /* the rest of it */
};

_Noreturn void line_refuse(const struct line *line, const char *what);
/* The next word into word[WORD_MAX]; false at the line's end. */
bool line_word(struct line *line, char *word);
/* Splits "key=value"; false at the line's end. */
bool line_pair(struct line *line, char *word, char **value);
const char *line_keep(struct support_site *s, const char *text);
void *line_room(struct support_site *s, size_t count, size_t size);
double line_number(const struct line *line, const char *text);
int64_t line_duration(const struct line *line, const char *text);
enum level line_level(const struct line *line, const char *text);

/* support_rule.c */
void line_rule(struct support_site *s, struct line *line, const char *name);
void line_permit(struct support_site *s, struct line *line, const char *name);

#endif
