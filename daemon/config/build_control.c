/* control and metrics: the socket and who may do what through it, and the file for monitoring. */
#include <errno.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>

#include "config/build.h"
#include "config/fill.h"
#include "config/issue.h"

#define GROUP_BYTES                                                                                          \
    ((size_t)64 << 10) /* for an entry of the name service; more members than that are cut off it */

static bool is_number(const char *text, uint32_t *gid)
{
    unsigned long long value;
    char *end;

    if (text[0] < '0' || text[0] > '9')
        return false;
    errno = 0;
    value = strtoull(text, &end, 10);
    if (*end || errno != 0 || value >= SITE_NO_GROUP)
        return false;
    *gid = (uint32_t)value;
    return true;
}

/* The name service may take its time: it is asked here, off the loop, and never again. */
static void find_group(struct build *b, const struct node *map, const char *key, struct site_door *door)
{
    struct group entry, *found = NULL;
    char *bytes;

    door->gid = SITE_NO_GROUP;
    if (!door->name || is_number(door->name, &door->gid) || b->ld->text_only)
        return;
    bytes = load_scratch(b->ld, GROUP_BYTES, 1);
    if (bytes && getgrnam_r(door->name, &entry, bytes, GROUP_BYTES, &found) == 0 && found)
        door->gid = (uint32_t)found->gr_gid;
    else if (bytes)
        issue_warning(b->ld, node_place(node_get(map, key)), "`%s`: there is no group `%s` on this machine",
                      key, shown(door->name).text);
}

void build_control(struct build *b)
{
    /* The longest path of a Unix socket's address: sun_path is 108 bytes with its NUL (unix(7)). */
    const size_t longest = 107;
    const struct node *map = b->maps[SECTION_CONTROL];
    struct site *site = b->site;
    const char *path;

    fill_map(b->ld, SECTION_CONTROL, map, site);
    path = site->control_socket;
    if (path && strlen(path) > longest)
        issue_error(b->ld, node_place(node_get(map, "socket")),
                    "`socket`: the path `%s` is longer than the %zu bytes of a socket's address",
                    shown(path).text, longest);
    find_group(b, map, "group", &site->control_group);
    find_group(b, map, "act_group", &site->control_act_group);
    if (!path && (site->control_group.name || site->control_act_group.name))
        issue_error(b->ld, node_key_place(map), "`control` names a group, but no `socket` for it");
}

/* A collector passes over other names without a word. */
static void check_metrics_name(struct build *b, const struct node *map)
{
    static const char end[] = ".prom";
    const char *file = b->site->metrics.file;
    size_t length = file ? strlen(file) : 0;

    if (file && (length < sizeof end || strcmp(file + length - (sizeof end - 1), end) != 0))
        issue_warning(b->ld, node_place(node_get(map, "file")),
                      "`file`: node_exporter reads only files that end in .prom");
}

static bool is_of_store(const char *file, const char *store)
{
    const size_t length = store ? strlen(store) : 0;

    return store && strncmp(file, store, length) == 0 &&
           (file[length] == '\0' || strcmp(file + length, "-wal") == 0 || strcmp(file + length, "-shm") == 0);
}

/* What stands there gives way to it, time after time: the records of years would be gone. */
static void check_metrics_place(struct build *b, const struct node *map)
{
    const char *file = b->site->metrics.file, *socket = b->site->control_socket, *what = NULL;

    if (!file)
        return;
    if (is_of_store(file, b->site->store.path))
        what = "the database";
    else if (socket && strcmp(file, socket) == 0)
        what = "the control socket";
    for (uint32_t i = 0; !what && i < b->ld->source_count; i++) {
        if (strcmp(file, b->ld->sources[i].name) == 0)
            what = "a file of the configuration";
    }
    if (what)
        issue_error(b->ld, node_place(node_get(map, "file")),
                    "`file` would be written in the place of %s, `%s`", what, shown(file).text);
}

void build_metrics(struct build *b)
{
    const struct node *map = b->maps[SECTION_METRICS];

    if (!map)
        return;
    fill_map(b->ld, SECTION_METRICS, map, &b->site->metrics);
    check_metrics_name(b, map);
    check_metrics_place(b, map);
}
