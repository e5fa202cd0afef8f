/* The figures of status for monitoring: as the answer of the command `metrics`, and as a file that is written anew every so often
 * (`metrics: {file, every}`). */
#ifndef RG_APP_METRICS_FILE_H
#define RG_APP_METRICS_FILE_H

#include "app/command.h"

/* context is kept, and must have a taken pipeline when metrics_file_follow is called. */
RG_NODISCARD enum rg_err metrics_file_create(const struct command_context *context,
                                             struct metrics_file **out);
/* Removes the file, as what it says does not hold any more, and waits for a write under way. Takes NULL. */
void metrics_file_destroy(struct metrics_file *m);
/* What the site in force says, from now on. */
void metrics_file_follow(struct metrics_file *m);
/* The member `metrics` of status, when a file is configured. Takes NULL. */
void metrics_file_status(const struct metrics_file *m, struct jsonw *w);

/* The command `metrics`: one text, OpenMetrics. */
RG_NODISCARD enum rg_err metrics_file_command(const struct command_context *c, struct jsonw *w);

#endif
