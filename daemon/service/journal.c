#define SD_JOURNAL_SUPPRESS_LOCATION /* all lines come from one place of the source */

#include "service/journal.h"

#include <stdlib.h>
#include <string.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

#include "base/text.h"

#define SOCKET                                                                                               \
    "/run/systemd/journal/socket" /* fixed by the protocol, see systemd.io/JOURNAL_NATIVE_PROTOCOL */
#define FIELDS_MAX 12
#define FIELD_BYTES 192 /* a name of the field, '=', and two identifiers with a dot */

struct message {
    struct iovec fields[FIELDS_MAX];
    int count;
    char memory[FIELDS_MAX][FIELD_BYTES];
};

bool journal_is_there(void)
{
    return access(SOCKET, W_OK) == 0;
}

static void add(struct message *m, const char *name, const char *value)
{
    char *field;

    if (!value || !value[0] || m->count == FIELDS_MAX)
        return;
    field = m->memory[m->count];
    /* What does not fit is no identifier of ours: rather no field than half a one. */
    if (!text_format(field, FIELD_BYTES, "%s=%s", name, value))
        return;
    m->fields[m->count++] = (struct iovec){field, strlen(field)};
}

bool journal_send(int priority, const struct log_about *about, const char *text)
{
    char line[sizeof "MESSAGE=" + LOG_LINE_MAX];
    char number[16];
    struct message m;

    m.count = 1;
    if (!text_format(line, sizeof line, "MESSAGE=%s", text) ||
        !text_format(number, sizeof number, "%d", priority))
        return false;
    m.fields[0] = (struct iovec){line, strlen(line)};
    add(&m, "PRIORITY", number);
    add(&m, "MESSAGE_ID", about->message_id);
    add(&m, "RISKGATE_BUS", about->bus);
    add(&m, "RISKGATE_DEVICE", about->device);
    add(&m, "RISKGATE_POINT", about->point);
    add(&m, "RISKGATE_RULE", about->rule);
    add(&m, "RISKGATE_AREA", about->area);
    add(&m, "RISKGATE_ALARM", about->alarm);
    add(&m, "RISKGATE_OUTPUT", about->output);
    add(&m, "RISKGATE_UPLINK", about->uplink);
    return sd_journal_sendv(m.fields, m.count) == 0;
}
