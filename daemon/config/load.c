#include "config/load.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "config/issue.h"
#include "config/yaml.h"

void *load_scratch(struct load *ld, size_t count, size_t size)
{
    void *memory = arena_alloc(&ld->scratch, count, size);

    if (!memory)
        ld->oom = true;
    return memory;
}

void *load_keep(struct load *ld, size_t count, size_t size)
{
    void *memory = arena_alloc(ld->arena, count, size);

    if (!memory)
        ld->oom = true;
    return memory;
}

char *load_scratch_text(struct load *ld, const char *text, size_t length)
{
    char *copy = arena_strndup(&ld->scratch, text, length);

    if (!copy)
        ld->oom = true;
    return copy;
}

const char *load_keep_text(struct load *ld, const char *text)
{
    const char *copy = intern_text(&ld->texts, ld->arena, text);

    if (!copy)
        ld->oom = true;
    return copy;
}

const char *load_where(struct load *ld, struct place at)
{
    const char *name = ld->sources[at.file].name;
    size_t room = strlen(name) + 12;
    char *text = load_keep(ld, room, 1);

    if (text)
        (void)snprintf(text, room, "%s:%u", name, at.line);
    return text;
}

const char *load_path(struct load *ld, uint32_t file, const char *path)
{
    const char *name = ld->sources[file].name;
    const char *slash = strrchr(name, '/');
    size_t folder = slash && path[0] != '/' && !ld->text_only ? (size_t)(slash - name) + 1 : 0;
    size_t room = folder + strlen(path) + 1;
    char *text = load_keep(ld, room, 1);

    if (text)
        (void)snprintf(text, room, "%.*s%s", (int)folder, name, path);
    return text;
}

bool load_is_credential(const char *text)
{
    return strncmp(text, LOAD_CREDENTIAL, strlen(LOAD_CREDENTIAL)) == 0;
}

static const char *credentials(void)
{
    const char *folder = getenv("CREDENTIALS_DIRECTORY");

    return folder && folder[0] == '/' ? folder : NULL;
}

bool load_has_credentials(void)
{
    return credentials() != NULL;
}

const char *load_credential(struct load *ld, const char *name)
{
    const char *folder = credentials();
    size_t room;
    char *text;

    folder = folder ? folder : "/run/credentials/riskgate.service";
    room = strlen(folder) + strlen("/riskgate_") + strlen(name) + 1;
    text = load_keep(ld, room, 1);
    if (text)
        (void)snprintf(text, room, "%s/riskgate_%s", folder, name);
    return text;
}

static void read_text(struct load *ld, struct source *source, struct place named, int fd, size_t size)
{
    ssize_t got = 0;
    struct stat after;

    while (source->length < size &&
           (got = read(fd, source->text + source->length, size - source->length)) > 0)
        source->length += (size_t)got;
    if (got < 0)
        issue_error(ld, named, "cannot read `%s`: %s", shown(source->name).text, strerror(errno));
    else if (source->length < size || fstat(fd, &after) != 0 || (size_t)after.st_size != size)
        issue_error(ld, named, "`%s` changed while it was read", shown(source->name).text);
    ld->total_bytes += source->length;
}

/* Reads at most the bytes allowed of a regular file; anything else could block or never end. */
static void read_source(struct load *ld, struct source *source, struct place named)
{
    int fd = open(source->name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat st;

    if (fd < 0 || fstat(fd, &st) != 0) {
        issue_error(ld, named, "cannot open `%s`: %s", shown(source->name).text, strerror(errno));
        if (fd >= 0)
            (void)close(fd);
        return;
    }
    source->dev = st.st_dev;
    source->ino = st.st_ino;
    if (!S_ISREG(st.st_mode)) {
        issue_error(ld, named, "`%s` is not a regular file", shown(source->name).text);
    } else if (st.st_size > (off_t)CONFIG_FILE_BYTES) {
        issue_error(ld, named, "`%s` is larger than %u MiB", shown(source->name).text,
                    CONFIG_FILE_BYTES >> 20);
    } else if (ld->total_bytes + (size_t)st.st_size > CONFIG_TOTAL_BYTES) {
        issue_error(ld, named, "all files together are larger than %u MiB", CONFIG_TOTAL_BYTES >> 20);
    } else if ((source->text = malloc((size_t)st.st_size + 1)) == NULL) {
        ld->oom = true;
    } else {
        read_text(ld, source, named, fd, (size_t)st.st_size);
    }
    (void)close(fd);
}

/* One file that is another's include is told at the include; the main file at itself. */
static struct place named_place(const struct load *ld, uint32_t file)
{
    return ld->sources[file].parent == UINT32_MAX ? issue_file(file) : ld->sources[file].named_at;
}

/* The same file under whatever name, read before: a cycle when it is one of those that include this one,
 * otherwise a repeat. */
static bool is_repeat(struct load *ld, uint32_t file)
{
    const struct source *source = &ld->sources[file];
    uint32_t same = 0;

    while (same < file && (ld->sources[same].dev != source->dev || ld->sources[same].ino != source->ino))
        same++;
    if (same == file)
        return false;
    for (uint32_t up = source->parent; up != UINT32_MAX; up = ld->sources[up].parent)
        if (up == same) {
            issue_error(ld, source->named_at, "`%s` includes itself, directly or through others",
                        shown(source->name).text);
            return true;
        }
    if (ld->sources[same].parent == UINT32_MAX)
        issue_error(ld, source->named_at, "`%s` is read already", shown(source->name).text);
    else
        issue_error(ld, source->named_at, "`%s` is included already, first at %s:%u",
                    shown(source->name).text, ld->sources[ld->sources[same].named_at.file].name,
                    ld->sources[same].named_at.line);
    return true;
}

static struct source *add_source(struct load *ld, const char *name, uint32_t parent, struct place named)
{
    struct source *source = &ld->sources[ld->source_count];

    if (ld->source_count == CONFIG_FILES) {
        issue_error(ld, named, "more than %d files", CONFIG_FILES);
        ld->incomplete = true;
        return NULL;
    }
    *source = (struct source){.name = name, .parent = parent, .named_at = named};
    ld->source_count++;
    return source;
}

static int by_name(const void *left, const void *right)
{
    const char *const *a = left;
    const char *const *b = right;

    return strcmp(*a, *b);
}

/* The entries of an open folder that fit pattern, sorted, as paths that begin with the first `folder` bytes
 * of path. */
static const char **list_folder(struct load *ld, DIR *dir, const char *path, size_t folder, size_t *count)
{
    const char *pattern = path + folder;
    const char **names = load_scratch(ld, CONFIG_FILES + 1, sizeof *names);
    const struct dirent *entry;

    *count = 0;
    /* One more than allowed, so that add_source can tell. */
    while (names && *count <= CONFIG_FILES && (entry = readdir(dir)) != NULL) {
        size_t room = folder + strlen(entry->d_name) + 1;
        char *name;

        if ((entry->d_name[0] == '.' && pattern[0] != '.') || !text_glob(pattern, entry->d_name))
            continue;
        name = load_keep(ld, room, 1);
        if (!name)
            break;
        (void)snprintf(name, room, "%.*s%s", (int)folder, path, entry->d_name);
        names[(*count)++] = name;
    }
    if (names)
        qsort(names, *count, sizeof *names, by_name);
    return names;
}

static void include_glob(struct load *ld, uint32_t file, const struct node *node, const char *path)
{
    const char *slash = strrchr(path, '/');
    size_t folder = slash ? (size_t)(slash - path) + 1 : 0;
    const char *where = slash ? load_scratch_text(ld, path, folder) : "./";
    size_t count = 0;
    const char **names;
    DIR *dir;

    if (!where)
        return;
    /* Wildcards in folders would let one line walk the whole disk. */
    if (text_has_glob(where)) {
        issue_error(ld, node_place(node), "`include`: only the last part of a path may hold * or ?");
        return;
    }
    dir = opendir(where);
    names = dir ? list_folder(ld, dir, path, folder, &count) : NULL;
    if (dir)
        (void)closedir(dir);
    if (count == 0)
        issue_warning(ld, node_place(node), "`include`: `%s` matches no file", shown(node->text).text);
    for (size_t i = 0; i < count; i++)
        (void)add_source(ld, names[i], file, node_place(node));
}

static void include_one(struct load *ld, uint32_t file, const struct node *node)
{
    const char *path;

    if (node->kind != NODE_SCALAR || node_is_null(node) || node->text[0] == '\0') {
        issue_error(ld, node_place(node), "an entry of `include` must be the path of a file, not %s",
                    node_kind_words(node));
        return;
    }
    path = load_path(ld, file, node->text);
    if (!path)
        return;
    if (text_has_glob(node->text))
        include_glob(ld, file, node, path);
    else
        (void)add_source(ld, path, file, node_place(node));
}

static void follow_includes(struct load *ld, uint32_t file)
{
    const struct node *include = node_get(ld->sources[file].root, "include");

    if (!include || node_is_null(include))
        return;
    if (ld->text_only)
        issue_error(ld, node_key_place(include), "`include` is not possible here");
    else if (include->kind == NODE_LIST)
        for (const struct node *node = include->first; node; node = node->next)
            include_one(ld, file, node);
    else if (include->kind == NODE_SCALAR)
        include_one(ld, file, include);
    /* A mapping is refused, with all other wrong types, when the keys are checked. */
}

/* A mark that some editors put in front of UTF-8. Dropped from the text, kept in the digest. */
static void drop_bom(struct source *source)
{
    if (source->length >= 3 && memcmp(source->text, "\xef\xbb\xbf", 3) == 0) {
        source->length -= 3;
        memmove(source->text, source->text + 3, source->length);
        source->bom = true;
    }
}

/* Opens, looks at the bytes, parses. */
static bool take_source(struct load *ld, uint32_t file)
{
    struct source *source = &ld->sources[file];
    size_t errors = ld->config->error_count;
    bool given = source->text != NULL;

    if (!given)
        read_source(ld, source, named_place(ld, file));
    if (!source->text || ld->oom || ld->config->error_count > errors)
        return false;
    if (!given && is_repeat(ld, file))
        return true; /* an error, but nothing is missing: its text was taken under the other name */
    drop_bom(source);
    return yaml_scan(ld, file) && yaml_parse(ld, file);
}

bool load_profile(struct load *ld, const char *path, struct place named, uint32_t *file)
{
    struct source *source = add_source(ld, path, ld->source_count > 0 ? named.file : UINT32_MAX, named);
    size_t errors = ld->config->error_count;

    if (!source)
        return false;
    source->profile = true;
    *file = ld->source_count - 1;
    return take_source(ld, *file) && ld->config->error_count == errors;
}

bool load_text(struct load *ld, const char *name, const char *text, size_t length)
{
    struct source *source = add_source(ld, name, UINT32_MAX, issue_file(0));

    if (!source)
        return false;
    source->text = malloc(length + 1);
    if (!source->text) {
        ld->oom = true;
        return false;
    }
    memcpy(source->text, text, length);
    source->length = length;
    return take_source(ld, ld->source_count - 1);
}

bool node_of_profile(const struct load *ld, const struct node *node)
{
    return ld->sources[node->file].profile;
}

void load_files(struct load *ld, const char *file)
{
    if (!ld->text_only)
        (void)add_source(ld, file, UINT32_MAX, issue_file(0));
    /* The list grows while it is walked: included files are read after those that include them. */
    for (uint32_t i = 0; i < ld->source_count && !ld->oom; i++) {
        if (!take_source(ld, i))
            ld->incomplete = true;
        else
            follow_includes(ld, i);
    }
}
