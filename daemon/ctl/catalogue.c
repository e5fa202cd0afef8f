#include "ctl/catalogue.h"

#include <string.h>

#include "base/text.h"

static const struct command_option before_options[] = {
    COMMAND_SOCKET,
    COMMAND_JSON,
    {"help", NULL, OPTION_HELP, "this text", NULL},
    {"version", NULL, OPTION_VERSION, "its version", NULL},
    COMMAND_NO_OPTION,
};

const struct command catalogue_before = {.name = "riskgatectl", .synopsis = "", .options = before_options};

const struct command *const catalogue[] = {
    /* without a daemon */
    &command_check,
    &command_schema,
    &command_profiles,
    &command_backtest,
    &command_history,
    &command_audit,
    /* of the running daemon */
    &command_status,
    &command_alarms,
    &command_points,
    &command_risk,
    &command_explain,
    &command_ack,
    &command_shelve,
    &command_unshelve,
    &command_permit,
    &command_outputs,
    &command_silence,
    &command_test,
    &command_report,
    &command_metrics,
    &command_self_test,
    &command_reload,
    &command_diff,
    /* a line and its units */
    &command_probe,
    &command_write,
    /* for the shell */
    &command_complete,
    NULL,
};

const struct command *catalogue_find(const char *name)
{
    for (size_t i = 0; catalogue[i]; i++) {
        if (strcmp(catalogue[i]->name, name) == 0)
            return catalogue[i];
    }
    return NULL;
}

const struct command *catalogue_nearest(const char *name)
{
    const char *names[64];
    const char *nearest;
    size_t count = 0;

    for (size_t i = 0; catalogue[i] && count < RG_COUNT(names); i++)
        names[count++] = catalogue[i]->name;
    nearest = text_nearest(name, names, count);
    return nearest ? catalogue_find(nearest) : NULL;
}
