/* Where profiles lie, and the reading of one. */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "config/fill.h"
#include "config/issue.h"
#include "config/profile_parts.h"

#define SUFFIX ".yaml"
#define FOLDERS 2

static bool is_folder(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Of a program in .../bin, .../share/riskgate/profiles: so that a build tree and an unpacked package need no
 * installation. */
static bool folder_beside(char *out, size_t size)
{
    static const char below[] = "/share/riskgate/profiles";
    char program[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    char *slash;

    if (length <= 0)
        return false;
    program[length] = '\0';
    for (int up = 0; up < 2; up++) {
        slash = strrchr(program, '/');
        if (!slash)
            return false;
        *slash = '\0';
    }
    return text_format(out, size, "%s%s", program, below) && is_folder(out);
}

void profile_folder(char *out, size_t size)
{
    const char *named = getenv("RISKGATE_PROFILES");

    if (named && named[0])
        (void)text_copy(out, size, named);
    else if (!folder_beside(out, size))
        (void)text_copy(out, size, RG_PROFILES);
}

static int by_name(const void *left, const void *right)
{
    const char *const *a = left;
    const char *const *b = right;

    return strcmp(*a, *b);
}

/* "x" of "x.yaml" into name; false for any other file. */
static bool name_of(const char *file, char *name, size_t size)
{
    size_t length = strlen(file);
    size_t stem = length - (sizeof SUFFIX - 1);

    if (length < sizeof SUFFIX || strcmp(file + stem, SUFFIX) != 0 || stem >= size)
        return false;
    memcpy(name, file, stem);
    name[stem] = '\0';
    return text_is_id(name);
}

enum rg_err profile_list(const char *folder, struct profile_list *out)
{
    enum rg_err err = RG_OK;
    const struct dirent *entry;
    DIR *dir = opendir(folder);

    *out = (struct profile_list){0};
    if (!dir)
        return RG_ENOTFOUND;
    arena_init(&out->arena, 0);
    out->names = arena_alloc(&out->arena, PROFILE_LIST_MAX, sizeof *out->names);
    if (!out->names)
        err = RG_ENOMEM;
    while (!err && (entry = readdir(dir)) != NULL) {
        char name[TEXT_ID_MAX + 1];

        if (entry->d_name[0] == '.' || !name_of(entry->d_name, name, sizeof name))
            continue;
        if (out->count == PROFILE_LIST_MAX) {
            err = RG_ERANGE;
            break;
        }
        out->names[out->count] = arena_strdup(&out->arena, name);
        if (out->names[out->count])
            out->count++;
        else
            err = RG_ENOMEM;
    }
    (void)closedir(dir);
    if (err)
        profile_list_free(out);
    else
        qsort(out->names, out->count, sizeof *out->names, by_name);
    return err;
}

void profile_list_free(struct profile_list *list)
{
    arena_destroy(&list->arena);
    *list = (struct profile_list){0};
}

/* The folders, in the order they are searched. */
static void list_folders(const struct load *ld, char folders[FOLDERS][PATH_MAX])
{
    const char *name = ld->sources[0].name;
    const char *slash = strrchr(name, '/');

    (void)text_format(folders[0], PATH_MAX, "%.*sprofiles", slash ? (int)(slash - name) + 1 : 0, name);
    profile_folder(folders[1], PATH_MAX);
}

static void tell_unknown(struct load *ld, const char *name, struct place at, char folders[FOLDERS][PATH_MAX])
{
    const char *names[FOLDERS * PROFILE_LIST_MAX];
    struct profile_list lists[FOLDERS];
    size_t count = 0;

    for (size_t i = 0; i < FOLDERS; i++) {
        enum rg_err err = profile_list(folders[i], &lists[i]);

        if (err == RG_ENOMEM)
            ld->oom = true;
        for (size_t k = 0; !err && k < lists[i].count; k++)
            names[count++] = lists[i].names[k];
    }
    issue_error(ld, at, "there is no profile `%s` in `%s` or `%s`%s", name, shown(folders[0]).text,
                shown(folders[1]).text, issue_nearest(ld, name, names, count).text);
    for (size_t i = 0; i < FOLDERS; i++)
        profile_list_free(&lists[i]);
}

/* The file of a profile, in scratch memory; NULL, told, when there is none. */
static const char *find_file(struct load *ld, const char *name, struct place at)
{
    char folders[FOLDERS][PATH_MAX];

    list_folders(ld, folders);
    for (size_t i = 0; i < FOLDERS; i++) {
        char path[PATH_MAX];
        struct stat st;

        /* One that is there but cannot be read is an error, not a reason to take another of the same name. */
        if (text_format(path, sizeof path, "%s/%s" SUFFIX, folders[i], name) &&
            (stat(path, &st) == 0 || (errno != ENOENT && errno != ENOTDIR)))
            return load_keep_text(ld, path);
    }
    tell_unknown(ld, name, at, folders);
    return NULL;
}

/* A mapping whose values are texts. */
static void check_texts(struct load *ld, const char *key, const struct node *map)
{
    for (const struct node *child = map ? map->first : NULL; child; child = child->next)
        if (child->kind != NODE_SCALAR || node_is_null(child) || child->text[0] == '\0')
            issue_error(ld, node_key_place(child), "`%s` in `%s` must be a text, not %s",
                        shown(child->key).text, key, node_kind_words(child));
}

static void check_unit_codes(struct load *ld, const struct node *root, const struct node *entries)
{
    const struct node *points = node_get(root, "points");

    for (const struct node *entry = entries ? entries->first : NULL; entry; entry = entry->next) {
        struct unit_codes_item item = {.at = ADDRESS_ABSENT};
        bool known = false;

        if (entry->kind != NODE_MAP) {
            issue_error(ld, node_place(entry), "an entry of `unit_codes` must be a mapping, not %s",
                        node_kind_words(entry));
            continue;
        }
        fill_map(ld, SECTION_UNIT_CODES, entry, &item);
        check_texts(ld, "codes", item.codes);
        for (const struct node *point = points ? points->first : NULL; point && item.point;
             point = point->next) {
            const struct node *name = node_get(point, "name");

            known = known || (name && name->kind == NODE_SCALAR && strcmp(name->text, item.point) == 0);
        }
        if (item.point && !known)
            issue_error(ld, node_place(node_get(entry, "point")), "there is no point `%s`", item.point);
    }
}

static bool fill_profile(struct load *ld, struct known_profile *profile, uint32_t file)
{
    size_t errors = ld->config->error_count;
    const struct node *root = ld->sources[file].root;

    if (!root || root->kind != NODE_MAP) {
        issue_error(ld, issue_file(file), "a profile is a mapping of its keys, not %s",
                    root ? node_kind_words(root) : "nothing");
        return false;
    }
    profile->root = root;
    fill_map(ld, SECTION_PROFILE, root, &profile->item);
    if (profile->item.name && strcmp(profile->item.name, profile->name) != 0)
        issue_error(ld, node_place(node_get(root, "name")), "`name` must be that of the file, `%s`, not `%s`",
                    profile->name, profile->item.name);
    check_texts(ld, "asks", profile->item.asks);
    check_unit_codes(ld, root, profile->item.unit_codes);
    return ld->config->error_count == errors;
}

static const struct known_profile *take(struct load *ld, const char *name, const char *path, struct place at)
{
    struct known_profile *profile = &ld->profiles[ld->profile_count++];
    uint32_t file;

    profile->name = load_keep_text(ld, name);
    profile->good = profile->name && load_profile(ld, path, at, &file) && fill_profile(ld, profile, file);
    return profile->good ? profile : NULL;
}

static bool make_room(struct load *ld)
{
    if (!ld->profiles)
        ld->profiles = load_scratch(ld, CONFIG_FILES, sizeof *ld->profiles);
    return ld->profiles && ld->profile_count < CONFIG_FILES;
}

const struct known_profile *profile_take(struct load *ld, const char *name, struct place at)
{
    const char *path;

    for (uint32_t i = 0; i < ld->profile_count; i++)
        if (strcmp(ld->profiles[i].name, name) == 0)
            return ld->profiles[i].good ? &ld->profiles[i] : NULL;
    if (!make_room(ld))
        return NULL;
    path = find_file(ld, name, at);
    return path ? take(ld, name, path, at) : NULL;
}

const struct known_profile *profile_take_file(struct load *ld, const char *name, const char *path)
{
    return make_room(ld) ? take(ld, name, path, issue_file(0)) : NULL;
}
