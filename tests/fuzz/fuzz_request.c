/* LINK rg_daemon rg_loop_virtual rg_test_support */
/* Any text as a platform's command: refused with a reason that can be shown, or what it says is well-formed to the last member. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "app/request.h"
#include "base/text.h"
#include "uplink/uplink.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool held)
{
    if (!held)
        abort();
}

/* What is written into records, the log and answers. */
static void must_be_plain(const char *text, size_t size)
{
    const char *end = memchr(text, '\0', size);

    must(end != NULL);
    must(text_is_utf8(text, (size_t)(end - text)));
    for (const char *c = text; c < end; c++)
        must(((unsigned char)*c >= 0x20 && *c != 0x7f) || *c == '\n' || *c == '\t');
}

static void check_good(const struct request *r)
{
    const bool act =
        r->command == REQUEST_ACK || r->command == REQUEST_SHELVE || r->command == REQUEST_UNSHELVE;

    must(r->id[0] != '\0');
    must(request_command_name(r->command) != NULL);
    must(request_needs(r->command) != 0);
    must(act == (r->alarm[0] != '\0'));
    must(!act || r->by[0] != '\0');
    must(act || !r->has_comment);
    must((r->command == REQUEST_SHELVE) == (r->for_ms > 0));
    must((r->command == REQUEST_BACKFILL) == (r->from > 0));
    must(r->to >= r->from && (unsigned)r->stream < STREAM_COUNT);
    must((r->command == REQUEST_READ) == ((r->point[0] != '\0') != (r->device[0] != '\0')));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct site_gateway gateway = {.id = "gw-01", .ent_code = "91350100M000100Y43"};
    char error[REQUEST_ERROR_MAX] = "";
    struct request r;
    const enum rg_err err = request_parse((const char *)data, size, &gateway, &r, error, sizeof error);

    must(err == RG_OK || err == RG_EINVAL);
    must(size <= UPLINK_COMMAND_BYTES || err == RG_EINVAL);
    for (const char *c = r.id; *c; c++)
        must(*c > ' ' && *c < 0x7f);
    must_be_plain(r.id, sizeof r.id);
    must_be_plain(r.by, sizeof r.by);
    must_be_plain(r.alarm, sizeof r.alarm);
    must_be_plain(r.comment, sizeof r.comment);
    must_be_plain(r.point, sizeof r.point);
    must_be_plain(r.device, sizeof r.device);
    if (err == RG_OK) {
        check_good(&r);
        return 0;
    }
    must_be_plain(error, sizeof error);
    must(strncmp(error, "malformed: ", 11) == 0);
    return 0;
}
