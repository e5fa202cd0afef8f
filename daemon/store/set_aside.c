#include "store/set_aside.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "store/side_files.h"

#define MARK ".corrupt-"
#define SAME_SECOND_MAX 100

static const char *const parts[] = {"-wal", "-shm",
                                    ""}; /* the database last: until then it is still the old one */

static bool there(const char *path, const char *end)
{
    char name[PATH_MAX];
    struct stat info;
    return text_format(name, sizeof(name), "%s%s", path, end) && lstat(name, &info) == 0;
}

/* Something that a person may have written. */
static bool is_text(const char *path)
{
    char head[4096];
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return true; /* not to be judged: left alone */
    ssize_t n = read(file, head, sizeof(head));
    (void)close(file);
    for (ssize_t i = 0; i < n; i++) {
        if ((unsigned char)head[i] < ' ' && strchr("\t\r\n\f", head[i]) == NULL)
            return false;
        if (head[i] == '\0')
            return false;
    }
    return n > 0;
}

bool set_aside_may(const char *path, bool known)
{
    return known || !there(path, "") || there(path, ".reserve") || !is_text(path);
}

static enum rg_err words(const char *path, const char *what, char *why, size_t why_size)
{
    char system[128] = "";
    (void)text_format(why, why_size, "%s: %s: %s", path, what, strerror_r(errno, system, sizeof(system)));
    return RG_EIO;
}

/* Never over something: where the file system cannot promise that, it was looked at before. */
static bool move(const char *from, const char *to)
{
    if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
        return true;
    return (errno == EINVAL || errno == ENOSYS) && rename(from, to) == 0;
}

static bool choose_name(const char *path, int64_t wall_ms, char *out, size_t size)
{
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm utc;
    char stamp[32];
    if (gmtime_r(&seconds, &utc) == NULL || strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &utc) == 0)
        (void)text_copy(stamp, sizeof(stamp), "unknown");
    for (unsigned n = 1; n <= SAME_SECOND_MAX; n++) {
        char more[16] = "";
        if (n > 1)
            (void)text_format(more, sizeof(more), "-%u", n); /* fits */
        if (!text_format(out, size, "%s" MARK "%s%s", path, stamp, more))
            return false;
        if (!there(out, "") && !there(out, "-wal") && !there(out, "-shm"))
            return true;
    }
    return false;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

enum rg_err set_aside_move(const char *path, int64_t wall_ms, char name[SET_ASIDE_NAME], char *why,
                           size_t why_size)
{
    char to[PATH_MAX];
    name[0] = '\0';
    if (!choose_name(path, wall_ms, to, sizeof(to)) || !text_copy(name, SET_ASIDE_NAME, base_name(to))) {
        name[0] = '\0';
        (void)text_format(why, why_size, "%s: no name is left to set it aside under", path);
        return RG_EIO;
    }
    bool whole = there(path, "");
    for (size_t i = 0; i < RG_COUNT(parts); i++) {
        char old[PATH_MAX], new[PATH_MAX];
        if (!there(path, parts[i]))
            continue;
        if (!text_format(old, sizeof(old), "%s%s", path, parts[i]) ||
            !text_format(new, sizeof(new), "%s%s", to, parts[i]))
            return RG_EIO; /* the longest was tried above */
        if (!move(old, new))
            return words(old, "is damaged and cannot be set aside", why, why_size);
    }
    if (!whole)
        name[0] = '\0';
    folder_sync(path); /* if not: after a power cut it may have its old name again, and is set aside again */
    return RG_OK;
}

void set_aside_count(const char *path, unsigned *count, int64_t *bytes)
{
    char prefix[PATH_MAX];
    *count = 0;
    *bytes = 0;
    int file = folder_open(path);
    if (file < 0)
        return;
    DIR *folder = fdopendir(file);
    if (folder == NULL) {
        (void)close(file);
        return;
    }
    if (text_format(prefix, sizeof(prefix), "%s" MARK, base_name(path))) {
        size_t length = strlen(prefix);
        for (const struct dirent *e = readdir(folder); e != NULL; e = readdir(folder)) {
            struct stat info;
            if (strncmp(e->d_name, prefix, length) != 0 || fstatat(dirfd(folder), e->d_name, &info, 0) != 0)
                continue;
            size_t end = strlen(e->d_name);
            bool beside = end > 4 && (strcmp(e->d_name + end - 4, "-wal") == 0 ||
                                      strcmp(e->d_name + end - 4, "-shm") == 0);
            *count += beside ? 0 : 1;
            *bytes += info.st_size;
        }
    }
    (void)closedir(folder);
}
