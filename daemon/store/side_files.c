#include "store/side_files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/text.h"

static enum rg_err system_words(const char *path, const char *what, char *why, size_t why_size)
{
    char words[128] = "";
    (void)text_format(why, why_size, "%s: %s: %s", path, what, strerror_r(errno, words, sizeof(words)));
    return RG_EIO;
}

enum rg_err lock_take(const char *path, int *fd, char *why, size_t why_size)
{
    char name[PATH_MAX];
    *fd = -1;
    if (!text_format(name, sizeof(name), "%s.lock", path)) {
        (void)text_format(why, why_size, "%s: the path is too long", path);
        return RG_EIO;
    }
    int file = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (file < 0 && errno == EROFS)
        file = open(name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW); /* a lock asks for no more */
    if (file < 0)
        return system_words(name, "cannot be opened", why, why_size);
    if (flock(file, LOCK_EX | LOCK_NB) != 0) {
        enum rg_err err = RG_EEXIST;
        if (errno == EWOULDBLOCK)
            (void)text_format(why, why_size, "%s: the store is in use by another process", path);
        else
            err = system_words(name, "cannot be locked", why, why_size);
        (void)close(file);
        return err;
    }
    *fd = file;
    return RG_OK;
}

void lock_release(int fd)
{
    if (fd >= 0)
        (void)close(fd); /* nothing was written */
}

void reserve_keep(const char *path, int64_t bytes)
{
    char name[PATH_MAX];
    struct stat there;
    struct statvfs fs;
    if (!text_format(name, sizeof(name), "%s.reserve", path))
        return;
    if (stat(name, &there) == 0 && there.st_size == bytes)
        return;
    if (statvfs(path, &fs) != 0 || (int64_t)(fs.f_bavail * fs.f_frsize) < 2 * bytes)
        return;
    int file = open(name, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (file < 0)
        return;
    bool whole = ftruncate(file, bytes) == 0 && posix_fallocate(file, 0, bytes) == 0;
    (void)close(file);
    if (!whole)
        (void)unlink(name);
}

bool reserve_release(const char *path)
{
    char name[PATH_MAX];
    return text_format(name, sizeof(name), "%s.reserve", path) && unlink(name) == 0;
}

int folder_open(const char *path)
{
    char folder[PATH_MAX];
    if (!text_copy(folder, sizeof(folder), path))
        return -1;
    char *slash = strrchr(folder, '/');
    if (slash == NULL)
        (void)text_copy(folder, sizeof(folder), ".");
    else
        slash[slash == folder ? 1 : 0] = '\0';
    return open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

void folder_sync(const char *path)
{
    int folder = folder_open(path);
    if (folder < 0)
        return;
    (void)fsync(folder);
    (void)close(folder);
}
