/* The control socket: lines in, one line out for each. */
#ifndef RG_PLANT_CONTROL_H
#define RG_PLANT_CONTROL_H

#include <stdbool.h>
#include <stdio.h>

struct plant;
struct control;

/* Listens at the path (mode 0600), replacing a socket nobody listens on any more. NULL: reported on standard error. */
struct control *control_create(struct plant *plant, const char *path);
void control_destroy(struct control *control); /* removes the socket; takes NULL */

/* command.c: carries one command out and writes its answer, one line: "ok", a JSON object, or "error: text". */
void command_run(struct plant *plant, char *line, FILE *out);

#endif
