#include "app/widen.h"

#include <string.h>

#include "base/text.h"

/* The change of kind.name.key and .more (or NULL), or NULL. */
static const struct config_change *change_of(const struct config_diff *diff, const char *kind,
                                             const char *name, const char *key, const char *more)
{
    char what[3 * TEXT_ID_MAX];

    if (!text_format(what, sizeof what, "%s.%s.%s%s", kind, name, key, more ? more : ""))
        return NULL;
    return config_diff_find(diff, what);
}

static bool is_new(const struct config_change *c)
{
    return c && !c->before;
}

static bool alarms_grown(const struct site_uplink *u, const struct config_diff *diff)
{
    const struct config_change *from = change_of(diff, "uplink", u->name, "alarms.from", NULL);
    enum level before;

    return from && from->before && level_parse(from->before, &before) == RG_OK && before > u->alarms_from;
}

/* A device that was there already and is sent only now. */
static bool devices_grown(const struct site *site, const struct site_uplink *u,
                          const struct config_diff *diff)
{
    for (size_t i = 0; i < site->device_count; i++) {
        const char *device = site->devices[i].name;

        if (u->telemetry_devices[i] &&
            is_new(change_of(diff, "uplink", u->name, "telemetry.devices.", device)) &&
            !is_new(change_of(diff, "device", device, "bus", NULL)))
            return true;
    }
    return false;
}

/* Once all devices are sent there is no filter any more, and what devices recorded that are gone is meant as well: one of those may have
 * been left out until now. */
static bool filter_gone(const struct site *site, const struct site_uplink *u, const struct config_diff *diff)
{
    static const char kind[] = "device.", key[] = ".bus";

    for (size_t i = 0; i < site->device_count; i++) {
        if (!u->telemetry_devices[i])
            return false;
    }
    for (size_t i = 0; i < diff->count; i++) {
        const struct config_change *c = &diff->changes[i];
        size_t length = strlen(c->what);
        char device[TEXT_ID_MAX + 1];

        if (c->after || length < sizeof kind + sizeof key || strncmp(c->what, kind, sizeof kind - 1) != 0 ||
            strcmp(c->what + length - (sizeof key - 1), key) != 0)
            continue;
        length -= sizeof kind - 1 + sizeof key - 1;
        if (text_format(device, sizeof device, "%.*s", (int)length, c->what + sizeof kind - 1) &&
            !change_of(diff, "uplink", u->name, "telemetry.devices.", device))
            return true;
    }
    return false;
}

void widen_streams(const struct site *site, const struct site_uplink *uplink, const struct config_diff *diff,
                   bool grown[STREAM_COUNT])
{
    const struct config_change *send = change_of(diff, "uplink", uplink->name, "telemetry.send", NULL);

    memset(grown, 0, STREAM_COUNT * sizeof *grown);
    if (is_new(change_of(diff, "uplink", uplink->name, "url", NULL)))
        return; /* it has new cursors already */
    grown[STREAM_ALARM] = alarms_grown(uplink, diff);
    grown[STREAM_TELEMETRY] = uplink->telemetry_send &&
                              (send || devices_grown(site, uplink, diff) || filter_gone(site, uplink, diff));
}

enum rg_err widen_cursors(struct store *store, const struct site *site, const struct config_diff *diff)
{
    struct cursor fresh[STREAM_COUNT];
    enum rg_err err = RG_OK;

    store_cursor_new(store, fresh);
    for (size_t i = 0; i < site->uplink_count; i++) {
        bool grown[STREAM_COUNT];

        widen_streams(site, &site->uplinks[i], diff, grown);
        for (int s = 0; s < STREAM_COUNT && err == RG_OK; s++) {
            if (grown[s])
                err = store_cursor_put(store, site->uplinks[i].name, (enum stream)s, &fresh[s]);
        }
    }
    return err;
}
