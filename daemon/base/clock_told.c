#include "base/clock_told.h"

#include <fcntl.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

_Static_assert(sizeof(clock_told) == CLOCK_TOLD_BYTES, "the file holds nothing else");

static enum rg_err map(int fd, int protection, void **out)
{
    void *at = mmap(NULL, CLOCK_TOLD_BYTES, protection, MAP_SHARED, fd, 0);

    if (at == MAP_FAILED)
        return RG_EIO;
    *out = at;
    return RG_OK;
}

enum rg_err clock_told_create(const char *path, clock_told **out)
{
    /* Never a new file in place of the old one: the reader would look at the old one for ever. */
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    void *at = NULL;
    enum rg_err err = RG_EIO;

    *out = NULL;
    if (fd < 0)
        return RG_EIO;
    if (ftruncate(fd, CLOCK_TOLD_BYTES) == 0)
        err = map(fd, PROT_READ | PROT_WRITE, &at);
    (void)close(fd);
    *out = at;
    return err;
}

enum rg_err clock_told_open(const char *path, const clock_told **out)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat st;
    void *at = NULL;
    enum rg_err err = RG_EIO;

    *out = NULL;
    if (fd < 0)
        return RG_EIO;
    if (fstat(fd, &st) == 0)
        err = S_ISREG(st.st_mode) && st.st_size >= CLOCK_TOLD_BYTES ? map(fd, PROT_READ, &at) : RG_EINVAL;
    (void)close(fd);
    *out = at;
    return err;
}

void clock_told_close(const clock_told *told)
{
    if (told)
        (void)munmap((void *)(uintptr_t)told, CLOCK_TOLD_BYTES);
}

void clock_told_put(clock_told *told, int64_t mono_ms, bool synced)
{
    atomic_store(told, mono_ms * 2 + (synced ? 1 : 0));
}

bool clock_told_synced(const clock_told *told, int64_t mono_ms)
{
    const int64_t word = atomic_load(told);
    const int64_t age_ms = mono_ms - word / 2;

    /* A word from the future is of another boot. */
    return word % 2 == 1 && age_ms >= -CLOCK_TOLD_EVERY_MS && age_ms <= CLOCK_TOLD_GOOD_MS;
}
