/* A disk that refuses, breaks or hangs under a real program's files, without touching the machine's: writes, syncs, truncations and
 * reservations of files whose path begins with RG_DISK_PREFIX are answered here. Loaded by LD_PRELOAD; RG_DISK_FILE names a file of native
 * int64 that whoever writes them governs the disk with: the errno of writes (and of what makes a file grow or shrink), the errno of
 * syncs, milliseconds that each sync takes; and that it counts in: failures, syncs. A sync that takes long ends as soon as the
 * milliseconds are set to less than it took. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#define SLICE_MS 20

struct setting {
    _Atomic int64_t write_errno, sync_errno, sync_ms;
    _Atomic int64_t failures, syncs;
};

static struct setting *setting;
static const char *prefix;

__attribute__((constructor)) static void open_setting(void)
{
    const char *path = getenv("RG_DISK_FILE");
    int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    void *at = fd >= 0 ? mmap(NULL, sizeof *setting, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) : MAP_FAILED;

    if (fd >= 0)
        (void)close(fd);
    prefix = getenv("RG_DISK_PREFIX");
    if (at != MAP_FAILED && prefix)
        setting = at;
    else if (path)
        abort(); /* a test that believes its disk is faulty must not go on without it */
}

static int concerned(int fd)
{
    char link[64], path[PATH_MAX];
    ssize_t n;

    if (!setting)
        return 0;
    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    n = readlink(link, path, sizeof path - 1);
    if (n <= 0)
        return 0;
    path[n] = '\0';
    return strncmp(path, prefix, strlen(prefix)) == 0;
}

static int refused(int fd)
{
    int error = concerned(fd) ? (int)setting->write_errno : 0;

    if (error) {
        setting->failures++;
        errno = error;
    }
    return error != 0;
}

static int64_t now_ms(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int sync_refused(int fd)
{
    int64_t begun = now_ms();
    int error;

    if (!concerned(fd))
        return 0;
    setting->syncs++;
    while (now_ms() - begun < setting->sync_ms)
        (void)nanosleep(&(struct timespec){0, SLICE_MS * 1000000L}, NULL);
    error = (int)setting->sync_errno;
    if (error) {
        setting->failures++;
        errno = error;
    }
    return error != 0;
}

/* The next one of that name: the sanitizer's or the C library's. */
static void *next(const char *name)
{
    void *at = dlsym(RTLD_NEXT, name);

    if (!at)
        abort();
    return at;
}

#define REAL(type, name) ((type)(uintptr_t)next(name))

ssize_t pwrite(int fd, const void *data, size_t n, off_t at)
{
    return refused(fd) ? -1 : REAL(ssize_t(*)(int, const void *, size_t, off_t), "pwrite")(fd, data, n, at);
}

ssize_t pwrite64(int fd, const void *data, size_t n, off64_t at)
{
    return refused(fd) ? -1
                       : REAL(ssize_t(*)(int, const void *, size_t, off64_t), "pwrite64")(fd, data, n, at);
}

ssize_t write(int fd, const void *data, size_t n)
{
    return refused(fd) ? -1 : REAL(ssize_t(*)(int, const void *, size_t), "write")(fd, data, n);
}

int ftruncate(int fd, off_t size)
{
    return refused(fd) ? -1 : REAL(int (*)(int, off_t), "ftruncate")(fd, size);
}

int ftruncate64(int fd, off64_t size)
{
    return refused(fd) ? -1 : REAL(int (*)(int, off64_t), "ftruncate64")(fd, size);
}

int posix_fallocate(int fd, off_t at, off_t length)
{
    return refused(fd) ? errno : REAL(int (*)(int, off_t, off_t), "posix_fallocate")(fd, at, length);
}

int posix_fallocate64(int fd, off64_t at, off64_t length)
{
    return refused(fd) ? errno : REAL(int (*)(int, off64_t, off64_t), "posix_fallocate64")(fd, at, length);
}

int fallocate(int fd, int mode, off_t at, off_t length)
{
    return refused(fd) ? -1 : REAL(int (*)(int, int, off_t, off_t), "fallocate")(fd, mode, at, length);
}

int fallocate64(int fd, int mode, off64_t at, off64_t length)
{
    return refused(fd) ? -1 : REAL(int (*)(int, int, off64_t, off64_t), "fallocate64")(fd, mode, at, length);
}

int fsync(int fd)
{
    return sync_refused(fd) ? -1 : REAL(int (*)(int), "fsync")(fd);
}

int fdatasync(int fd)
{
    return sync_refused(fd) ? -1 : REAL(int (*)(int), "fdatasync")(fd);
}
