/* What a platform may ask for on the topic `command`, and how it is answered: the words. Reading them is pure.
 *
 * A command is one JSON object (RFC 8259, UTF-8), at most UPLINK_COMMAND_BYTES long:
 *
 *   {"id":"7f-1","command":"ack","alarm":"gw-01-42","by":"Zhao","comment":"seen"}
 *   {"id":"7f-2","command":"shelve","alarm":"gw-01-42","for":"30m","by":"Zhao","comment":"repair"}
 *   {"id":"7f-3","command":"unshelve","alarm":"gw-01-42","by":"Zhao"}
 *   {"id":"7f-4","command":"backfill","stream":"telemetry","from":101,"to":200}
 *   {"id":"7f-5","command":"read","point":"gas-1.lel"}      or {..., "device":"gas-1"}
 *
 * id: 1 to 64 printable ASCII characters without spaces, of the platform's choosing, not used before.
 * by: who asks, 1 to REQUEST_BY_MAX bytes; must be given with ack, shelve and unshelve, may be given with the others. Records show it as
 *     "<by>@<uplink>" ("@<uplink>" when it was not given).
 * comment: may be given with ack, shelve and unshelve; under ALARM_COMMENT_MAX bytes.
 * for: a duration such as 30m; from, to: sequence numbers, 1 <= from <= to.
 * v, ent, gw may be given with any of them, and must then be 1 and this gateway's. Nothing else may be.
 *
 * The answer goes to the MQTT 5 response topic with the correlation data, or to the topic `reply` (so it does when the response topic
 * is one that the gateway or another of its uplinks speaks on):
 *
 *   {"v":1,"ent":"...","gw":"gw-01","id":"7f-1","ok":true,"alarm":"gw-01-42"}                     ack, unshelve
 *   {...,"id":"7f-2","ok":true,"alarm":"gw-01-42","shelved_until_ts":1763781800000}               shelve
 *   {...,"id":"7f-4","ok":true,"stream":"telemetry","from":101,"to":190}                          backfill: what will be sent
 *   {...,"id":"7f-5","ok":true,"point":"gas-1.lel","value":12.3,"quality":"good","ts":1763780000123,"unit":"%LEL"}
 *   {...,"id":"7f-6","ok":true,"device":"gas-1","ts":1763780000123,"values":{"lel":12.3},"bad":{"co":"sensor"}}
 *   {...,"id":"7f-7","ok":false,"error":"failed: there is no active alarm gw-01-42"}
 *   {...,"id":"7f-1","ok":false,"error":"replayed: it was carried out before","first":{"ok":true,"error":null,"ts":1763780000200}}
 *
 * with "clock":"unsynced" before id while the clock is not synchronised. id is null when the command had none that is valid. A bad
 * reading is an answer, too: its value is null, its quality says why; ts is when it was taken (null: never yet). The error begins
 * with one of these words:
 *
 *   malformed:    it is no such command (or was kept by the broker from whenever: a retained command is never carried out)
 *   not allowed:  this platform may not ask for it (`commands` of the uplink)
 *   busy:         too many at once, the store takes no records, or the gateway is stopping: to be asked again, with the same id
 *   replayed:     the id is used up: what came of it then is in first (absent while it is still being carried out)
 *   failed:       it was tried; why it could not be done
 *
 * An id is used up once the command was carried out or has failed, not before; the newest REQUEST_IDS of each uplink are remembered,
 * over restarts too. So a platform that got no answer asks again with the same id and learns what came of it; what it asked
 * for happens at most once. (A power cut at the very instant between the record of the deed and that of the command
 * leaves the first without the second: asked again, an ack then fails as acknowledged already.)
 *
 * Who sees what: an alarm that never stood at the uplink's `alarms.from` or higher does not exist for it, nor does a device whose
 * telemetry it does not get.
 *
 * Each command that was carried out, failed or was refused is a record of the event stream, durable before the answer goes:
 *   {"seq":..,"ts":..,"kind":"command","command":"ack","uplink":"county","id":"7f-1","ok":true,...,"by":"Zhao@county","hash":..}
 * with what belongs to it; if not ok with "error", and with "refused":true when it was not even tried (then id is null where it was
 * not valid, command where it is unknown). While the store takes no records nothing is carried out, not even an ack: nothing that
 * came from outside is done without a record of it. (Over the control socket of the gateway it is.)
 *
 * Pace, for each uplink: REQUEST_BURST at once, then one a REQUEST_EVERY_MS; what comes beyond that is answered with `busy`, itself
 * at no higher pace, and further ones not at all. Of those that were not ok REQUEST_TELLS a minute have a record of their
 * own; one more a minute counts the rest: {"kind":"command","command":null,"uplink":..,"ok":false,"refused":N,"unheard":M,"since":ts},
 * refused: answered, but without a record; unheard: beyond the pace. */
#ifndef RG_APP_REQUEST_H
#define RG_APP_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "model/alarm.h"
#include "model/site.h"
#include "model/stream.h"
#include "store/store.h"

#define REQUEST_ID_MAX TEXT_ID_MAX
#define REQUEST_BY_MAX (ALARM_WHO_MAX - TEXT_ID_MAX - 2) /* with '@', the uplink's name and the NUL it fits */
#define REQUEST_IDS STORE_COMMANDS
#define REQUEST_BURST 20
#define REQUEST_EVERY_MS 1000
#define REQUEST_TELLS 20
#define REQUEST_TELLS_MS 60000
#define REQUEST_ERROR_MAX 256

enum request_command {
    REQUEST_NONE, /* not given, or unknown */
    REQUEST_ACK,
    REQUEST_SHELVE,
    REQUEST_UNSHELVE,
    REQUEST_BACKFILL,
    REQUEST_READ,
};
const char *request_command_name(enum request_command command); /* NULL for REQUEST_NONE */
/* The SITE_MAY_* that it takes. */
unsigned request_needs(enum request_command command);

struct request {
    char id[REQUEST_ID_MAX + 1]; /* empty: none that is valid */
    enum request_command command;
    char by[REQUEST_BY_MAX + 1]; /* empty: not given */
    char alarm[ALARM_ID_MAX];
    bool has_comment;
    char comment[ALARM_COMMENT_MAX];
    int64_t for_ms; /* > 0 */
    enum stream stream;
    int64_t from, to;
    char point[POINT_NAME_MAX];   /* read: this, or */
    char device[TEXT_ID_MAX + 1]; /* this */
};

/* text need not end in a NUL; NULL: it was too long to be taken in. RG_EINVAL: it is no command, and why is in error ("malformed:
 * ..."); id and command are filled in as far as they are valid. */
RG_NODISCARD enum rg_err request_parse(const char *text, size_t length, const struct site_gateway *gateway,
                                       struct request *out, char *error, size_t error_size);

#endif
