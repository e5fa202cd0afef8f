/* explain: why an alarm stands, or why there is none. */
#include <stdio.h>

#include "base/json_write.h"
#include "ctl/catalogue.h"
#include "ctl/show_explain.h"

static enum exit_status run(const struct arguments *a)
{
    enum exit_status status;
    struct jsonw request;

    jsonw_init(&request, 0);
    jsonw_object_begin(&request);
    jsonw_key_string(&request, "command", "explain");
    jsonw_key_string(&request, "name", a->operands[0]);
    jsonw_object_end(&request);
    status = command_ask(a, &request, show_explain);
    jsonw_free(&request);
    return status;
}

static const struct command_option options[] = {
    COMMAND_WATCH,
    COMMAND_SOCKET,
    COMMAND_JSON,
    COMMAND_NO_OPTION,
};

const struct command command_explain = {
    .name = "explain",
    .group = GROUP_DAEMON,
    .synopsis = "NAME",
    .sentence = "why an alarm stands, or why not: rule, limit, readings, delays",
    .about = "NAME: of an alarm (gw-01-42), a point (gas-1.lel), a device, an output or an uplink.\n",
    .options = options,
    .least = 1,
    .most = 1,
    .completes = "@alarm @point @device @output @uplink",
    .run = run,
};
