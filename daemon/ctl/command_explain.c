/* explain: why an alarm stands, or why there is none. */
#include <stdio.h>

#include "base/json_write.h"
#include "ctl/command.h"
#include "ctl/show_explain.h"

enum exit_status command_explain(const struct arguments *a)
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
