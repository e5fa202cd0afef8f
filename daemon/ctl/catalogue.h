/* All commands of riskgatectl. A new one: its file, with its row `const struct command command_NAME`, a declaration here, and
 * its place in the table of catalogue.c. Usage, --help and completion follow from the row. */
#ifndef RG_CTL_CATALOGUE_H
#define RG_CTL_CATALOGUE_H

#include "ctl/command.h"

extern const struct command command_check, command_schema; /* command_check.c */
extern const struct command command_profiles;              /* command_profiles.c */
extern const struct command command_backtest;              /* command_backtest.c */
extern const struct command command_history;               /* command_history.c */
extern const struct command command_audit;                 /* command_audit.c */
extern const struct command command_status;                /* command_status.c */
extern const struct command command_alarms, command_points, command_risk, command_outputs,
    command_metrics;                                                       /* command_daemon.c */
extern const struct command command_explain;                               /* command_explain.c */
extern const struct command command_ack, command_shelve, command_unshelve; /* command_alarm.c */
extern const struct command command_permit;                                /* command_permit.c */
extern const struct command command_silence, command_test;                 /* command_output.c */
extern const struct command command_report, command_self_test;             /* command_report.c */
extern const struct command command_reload;                                /* command_reload.c */
extern const struct command command_diff;                                  /* command_diff.c */
extern const struct command command_probe;                                 /* command_probe.c */
extern const struct command command_write;                                 /* command_write.c */

extern const struct command command_complete; /* command_complete.c */

/* What may stand before a command's name. */
enum { OPTION_HELP = 3000, OPTION_VERSION };
extern const struct command catalogue_before;
/* In the order of the help; the last one is NULL. */
extern const struct command *const catalogue[];

/* NULL: there is none of that name. */
const struct command *catalogue_find(const char *name);
/* The one whose name is nearest to a misspelt one; NULL: none is near. */
const struct command *catalogue_nearest(const char *name);

#endif
