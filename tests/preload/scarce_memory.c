/* A machine that has no memory left: malloc and its kin fail, as at a limit that does not kill (RLIMIT_AS, strict overcommit).
 *
 *   SCARCE_AFTER=N    the first N allocations succeed, none after them
 *   SCARCE_FILE=FILE  of one byte: while that is '1' none succeeds */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);

static atomic_long left = -1; /* below 0: without end */
static const volatile char *gate;

__attribute__((constructor)) static void begin(void)
{
    const char *after = getenv("SCARCE_AFTER"), *file = getenv("SCARCE_FILE");
    int fd = file ? open(file, O_RDONLY | O_CLOEXEC) : -1;

    if (fd >= 0) {
        void *memory = mmap(NULL, 1, PROT_READ, MAP_SHARED, fd, 0);

        if (memory != MAP_FAILED)
            gate = memory;
        (void)close(fd);
    }
    if (after)
        atomic_store(&left, atol(after));
}

static bool none(void)
{
    long now = atomic_load(&left);

    while (now > 0 && !atomic_compare_exchange_weak(&left, &now, now - 1))
        ;
    if (now != 0 && !(gate && *gate == '1'))
        return false;
    errno = ENOMEM;
    return true;
}

void *malloc(size_t size)
{
    return none() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return none() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
    return none() ? NULL : __libc_realloc(old, size);
}
