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

void build_metrics(struct build *b)
{
    const struct node *map = b->maps[SECTION_METRICS];

    if (!map)
        return;
    fill_map(b->ld, SECTION_METRICS, map, &b->site->metrics);
    check_metrics_name(b, map);
}
