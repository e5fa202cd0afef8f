/* Uplinks: why a platform hears nothing, and what will soon keep it from hearing. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "ctl/field.h"
#include "ctl/judge_part.h"

#define CERTIFICATE_DAYS 30 /* ahead of its end it is told */

#define LOST_OTHERWISE                                                                                       \
    "Is the network up (`ip addr`, `ping` the broker's host), is the "                                       \
    "name resolved, is the port open (`nc -vz HOST "                                                         \
    "PORT`), does a firewall stand between?"

static const struct judge_advice lost_advice[] = {
    {"password file", "Look at `password_file` of the uplink: is it there, may the daemon's user read it?"},
    {"user name", "User name or password are not the broker's: `username`, `password_file`."},
    {"not authori",
     "The broker knows the gateway, and does not let it in: `username`, `password_file`, `client_id`, "
     "the broker's rights."},
    {"identifier", "The broker does not take this `client_id`: ask the platform which one it wants."},
    {"taken over", "Another client has the same `client_id`: a second gateway with a copied configuration?"},
    {"verify failed",
     "The broker's certificate is not signed by `tls.ca`, or the gateway's clock is wrong, or the "
     "certificate has ended."},
    {"hostname", "The broker's certificate is for another name: the host in `url` must be the one it names."},
    {"handshake",
     "The broker ends the TLS handshake: does it want a client's certificate (`tls.cert`, `tls.key`)?"},
    {"certificate",
     "Certificate trouble: `tls.ca`, `tls.cert`, `tls.key`, and whether the gateway's clock is right."},
    {"tcp/tls connect", LOST_OTHERWISE},
    {"tls",
     "TLS trouble: `tls.ca`, `tls.cert`, `tls.key`; is the port in `url` the broker's TLS port (8883)?"},
    {"ssl",
     "TLS trouble: `tls.ca`, `tls.cert`, `tls.key`; is the port in `url` the broker's TLS port (8883)?"},
    {"server unavailable", "The broker does not serve now: ask the platform."},
    {NULL, NULL},
};

static const struct judge_advice connected_advice[] = {
    {"subscribe",
     "The broker does not let the gateway subscribe: its rights for the topics below the gateway's root."},
    {"receipt",
     "The platform does not say that it has stored what it got: ask it for its receipts (topic `receipt`)."},
    {"refused", "The broker refuses messages: its rights and limits (size, quota) for this client."},
    {NULL, NULL},
};

static void judge_link(const struct judge_place *at, const struct json *u)
{
    const struct json *pending = json_get(u, "pending");
    const char *detail = json_string(json_get(u, "detail"));

    if (!json_bool(json_get(u, "connected"), false))
        judge_tell(at, JUDGE_FAULT, judge_advise(lost_advice, detail ? detail : "", LOST_OTHERWISE),
                   "not connected: %s; %" PRId64 " alarms and %" PRId64
                   " readings wait, and are sent when it is back",
                   detail ? detail : "not tried yet", field_int(pending, "alarm"),
                   field_int(pending, "telemetry"));
    else if (detail)
        judge_tell(at, JUDGE_WARNING,
                   judge_advise(connected_advice, detail, "Look at the broker's log, and ask the platform."),
                   "connected, but: %s", detail);
}

static void judge_certificate(const struct judge_place *at, const struct json *c)
{
    static const char *const renew =
        "Get a new one, and put it in the place of the old file: it is found within the hour.";
    const char *error = json_string(json_get(c, "error"));
    const char *doubt = json_get(c, "clock") ? ", if the clock is right, which is not synchronised" : "";
    const int64_t days = json_int(json_get(c, "days"), CERTIFICATE_DAYS + 1);

    if (error)
        judge_tell(at, JUDGE_WARNING,
                   "Look at the files of `tls`: are they there, may the daemon's user read them?", "%s",
                   error);
    else if (days < 0)
        judge_tell(at, JUDGE_FAULT, renew, "the certificate `%s` has expired%s", field_text(c, "file"),
                   doubt);
    else if (days <= CERTIFICATE_DAYS)
        judge_tell(at, JUDGE_WARNING, renew, "the certificate `%s` ends in %" PRId64 " days%s",
                   field_text(c, "file"), days, doubt);
}

void judge_uplinks(struct judgement *j, const struct json *status)
{
    for (const struct json *u = json_first(json_get(status, "uplinks")); u; u = json_next(u)) {
        struct judge_place at = {.j = j,
                                 .part = "uplink",
                                 .name = field_text(u, "name"),
                                 .unit = -1,
                                 .since_ms = field_int(u, "since_ts"),
                                 .where = json_string(json_get(u, "url"))};

        judge_link(&at, u);
        at.since_ms = 0;
        judge_certificate(&at, json_get(u, "certificate"));
    }
}
