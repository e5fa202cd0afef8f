/* uplinks: whom to tell, where, and what. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "config/build.h"
#include "config/fill.h"
#include "config/issue.h"
#include "config/items.h"
#include "config/value.h"

#define MQTT_PORT 1883           /* IANA: mqtt */
#define MQTTS_PORT 8883          /* IANA: secure-mqtt */
#define UPLINK_FLAGS (64u << 20) /* uplinks times devices */

/* url -> host, port, tls. */
static void take_url(struct build *b, struct site_uplink *uplink, const char *url, const struct node *node)
{
    struct place at = node_place(node);
    const struct shown given = shown(url);
    char host[ENDPOINT_HOST_MAX];
    const char *rest;
    enum endpoint_verdict verdict;

    uplink->tls = strncmp(url, "mqtts://", 8) == 0;
    if (!uplink->tls && strncmp(url, "mqtt://", 7) != 0) {
        issue_error(b->ld, at, "`url` must be mqtt://host[:port] or mqtts://host[:port], not `%s`",
                    given.text);
        return;
    }
    rest = url + (uplink->tls ? 8 : 7);
    if (strchr(rest, '@')) {
        /* Not shown: it may hold a password. */
        issue_error(b->ld, at,
                    "`url` must not hold a user or a password: use `username` and `password_file`");
        return;
    }
    if (strpbrk(rest, "/?#")) {
        issue_error(b->ld, at, "`url`: nothing may follow host and port in `%s`", given.text);
        return;
    }
    uplink->port = uplink->tls ? MQTTS_PORT : MQTT_PORT;
    verdict = value_endpoint(rest, host, &uplink->port);
    if (verdict == ENDPOINT_BAD_PORT)
        issue_error(b->ld, at, "`url`: the port of `%s` must be 1 to 65535", given.text);
    else if (verdict == ENDPOINT_BARE_IPV6)
        issue_error(b->ld, at, "`url`: an IPv6 address stands in brackets, mqtt://[address]:port, not `%s`",
                    given.text);
    else if (verdict == ENDPOINT_BAD_HOST)
        issue_error(b->ld, at, "`url`: there is no valid host in `%s`", given.text);
    else
        uplink->host = load_keep_text(b->ld, host);
}

static void check_topic(struct build *b, const char *topic, const struct node *node)
{
    size_t length = strlen(topic);

    if (strpbrk(topic, "+#") || topic[0] == '$' || topic[0] == '/' || topic[length - 1] == '/')
        issue_error(b->ld, node_place(node),
                    "`topic_root` must not hold + or #, nor begin with $ or /, nor end in /: `%s`",
                    shown(topic).text);
}

static const char *join(struct build *b, const char *a, const char *c, const char *d, const char *e)
{
    size_t room = strlen(a) + strlen(c) + strlen(d) + strlen(e) + 1;
    char *text = load_keep(b->ld, room, 1);

    if (text)
        (void)snprintf(text, room, "%s%s%s%s", a, c, d, e);
    return text;
}

static void fill_names(struct build *b, struct site_uplink *uplink)
{
    const struct site_gateway *g = &b->site->gateway;

    if (!uplink->client_id && g->id && uplink->name)
        uplink->client_id = join(b, "riskgate-", g->id, "-", uplink->name);
    if (!uplink->topic_root && g->id && g->ent_code)
        uplink->topic_root = join(b, "riskgate/v1/", g->ent_code, "/", g->id);
}

/* Marks the devices that one name or glob means. */
static void mark_devices(struct build *b, bool *marked, const struct node *node)
{
    const char *pattern = fill_text(b->ld, "devices", node);
    bool any = false;

    if (!pattern)
        return;
    if (!text_has_glob(pattern)) {
        uint32_t device = names_find(b->ld, &b->devices, pattern, node_place(node));

        if (device != SITE_NONE)
            marked[device] = true;
        return;
    }
    for (size_t i = 0; i < b->site->device_count; i++) {
        if (!b->site->devices[i].name || !text_glob(pattern, b->site->devices[i].name))
            continue;
        marked[i] = true;
        any = true;
    }
    if (!any && !b->ld->incomplete)
        issue_error(b->ld, node_place(node), "`%s` matches no device", shown(pattern).text);
}

static void take_devices(struct build *b, struct site_uplink *uplink, const struct node *list)
{
    uplink->telemetry_devices =
        load_keep(b->ld, b->site->device_count + 1, sizeof *uplink->telemetry_devices);
    if (!uplink->telemetry_devices)
        return;
    if (!list)
        memset(uplink->telemetry_devices, true, b->site->device_count * sizeof *uplink->telemetry_devices);
    else if (list->kind == NODE_SCALAR)
        mark_devices(b, uplink->telemetry_devices, list);
    else
        for (const struct node *node = list->first; node; node = node->next)
            mark_devices(b, uplink->telemetry_devices, node);
}

static unsigned take_commands(struct build *b, const struct node *list)
{
    unsigned may = 0;

    for (const struct node *node = list ? list->first : NULL; node; node = node->next) {
        int64_t bit = 0;

        if (!fill_named(b->ld, "commands", node, table_commands, &bit))
            continue;
        if (may & (unsigned)bit)
            issue_error(b->ld, node_place(node), "`commands` names `%s` twice", node->text);
        may |= (unsigned)bit;
    }
    return may;
}

static void build_uplink(struct build *b, uint32_t index, const struct node *node)
{
    struct uplink_item item = {.url = NULL};
    struct site_uplink *uplink = &item.uplink;

    fill_map(b->ld, SECTION_UPLINK, node, &item);
    uplink->url = item.url;
    if (item.url)
        take_url(b, uplink, item.url, node_get(node, "url"));
    build_security(b, uplink, node);
    if (uplink->topic_root)
        check_topic(b, uplink->topic_root, node_get(node, "topic_root"));
    if (uplink->keepalive_ms % 1000 != 0)
        issue_error(b->ld, node_place(node_get(node, "keepalive")),
                    "`keepalive` is counted in whole seconds");
    uplink->may = take_commands(b, item.commands);
    fill_names(b, uplink);
    take_devices(b, uplink, item.telemetry_devices);
    uplink->where = load_where(b->ld, node_place(node));
    b->site->uplinks[index] = item.uplink;
    if (uplink->name)
        names_add(b->ld, &b->uplinks, index, uplink->name, node_place(node_get(node, "name")));
}

/* A broker drops the older of two connections with one client identifier: they would throw each other off for
 * ever. */
static void check_clients(struct build *b, struct hash_index *clients, uint32_t index,
                          const struct node *node)
{
    const struct site_uplink *uplink = &b->site->uplinks[index];
    char port[8];
    const char *client;
    uint32_t first = 0;
    enum rg_err err;

    if (!uplink->host || !uplink->client_id)
        return;
    (void)snprintf(port, sizeof port, "%u ", uplink->port);
    client = join(b, uplink->host, ":", port, uplink->client_id);
    err = client ? hash_index_add(clients, client, index, &first) : RG_ENOMEM;
    if (err == RG_ENOMEM)
        b->ld->oom = true;
    /* Two of one name have one default identifier too: the name is the fault. */
    if (err == RG_EEXIST && (!uplink->name || !b->site->uplinks[first].name ||
                             strcmp(uplink->name, b->site->uplinks[first].name) != 0))
        issue_error(b->ld, node_place(node),
                    "the client identifier `%s` is used by the uplink at %s already, at the same broker",
                    shown(uplink->client_id).text, b->site->uplinks[first].where);
}

void build_uplinks(struct build *b)
{
    const struct entries *entries = &b->entries[SECTION_UPLINK];
    struct hash_index *clients = NULL;

    /* Each uplink keeps a flag a device. */
    if ((uint64_t)entries->count * (b->site->device_count + 1) > UPLINK_FLAGS) {
        issue_error(b->ld, node_place(entries->nodes[0]), "too many uplinks for so many devices");
        return;
    }
    b->site->uplinks = load_keep(b->ld, (size_t)entries->count + 1, sizeof *b->site->uplinks);
    if (!b->site->uplinks || !names_begin(b->ld, &b->uplinks, "uplink", entries->count))
        return;
    if (hash_index_create(entries->count, &clients)) {
        b->ld->oom = true;
        return;
    }
    for (uint32_t i = 0; i < entries->count && !b->ld->oom; i++) {
        build_uplink(b, i, entries->nodes[i]);
        b->site->uplink_count = i + 1;
        check_clients(b, clients, i, entries->nodes[i]);
    }
    hash_index_destroy(clients);
}
