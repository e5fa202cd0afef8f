/* What must not get into a journal: passwords that somebody wrote where none belong. Pure. */
#ifndef RG_BASE_SECRET_H
#define RG_BASE_SECRET_H

#include <stddef.h>

/* Bytes of a line, from its start; empty when upto is not above from. */
struct secret_span {
    size_t from, upto;
};

/* The word around byte `at`: up to blanks, quotes, commas and angle brackets. */
struct secret_span secret_word(const char *line, size_t length, size_t at);
/* Inside a word what stands between :// and @ of a URL: a user, perhaps a password. */
struct secret_span secret_of_url(const char *line, struct secret_span word);
/* What stands behind a key such as `password:`, to the end of the line, wherever the value may end. line ends in a NUL. */
struct secret_span secret_of_key(const char *line, size_t length);
/* Writes '*' over every byte of both. */
void secret_hide(char *line);

#endif
