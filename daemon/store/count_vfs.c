#include "store/count_vfs.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

#include <sqlite3.h>

#include "base/text.h"

struct count_vfs {
    sqlite3_vfs vfs; /* its pAppData is that of the real one, whose functions it borrows */
    sqlite3_vfs *real;
    char name[48];
    atomic_uint_least64_t bytes, syncs, read;
    atomic_int last_errno; /* of what failed last: errno itself is another's by the time SQLite asks */
};

/* The real file lies behind it in the same memory. */
struct count_file {
    sqlite3_file base;
    struct count_vfs *owner;
};

static struct count_vfs *owner_of(sqlite3_file *f)
{
    return ((struct count_file *)(void *)f)->owner;
}

static size_t real_offset(void)
{
    return (sizeof(struct count_file) + 15u) & ~(size_t)15u;
}

static sqlite3_file *real_of(sqlite3_file *f)
{
    return (sqlite3_file *)(void *)((char *)f + real_offset());
}

static int noted(sqlite3_file *f, int rc)
{
    if (rc != SQLITE_OK)
        atomic_store_explicit(&owner_of(f)->last_errno, errno, memory_order_relaxed);
    return rc;
}

static int count_last_error(sqlite3_vfs *vfs, int size, char *out)
{
    (void)size;
    (void)out;
    return atomic_load_explicit(&((struct count_vfs *)(void *)vfs)->last_errno, memory_order_relaxed);
}

static int count_close(sqlite3_file *f)
{
    return real_of(f)->pMethods->xClose(real_of(f));
}

static int count_read(sqlite3_file *f, void *to, int n, sqlite3_int64 at)
{
    atomic_fetch_add_explicit(&owner_of(f)->read, (uint64_t)n, memory_order_relaxed);
    return real_of(f)->pMethods->xRead(real_of(f), to, n, at);
}

static int count_write(sqlite3_file *f, const void *data, int n, sqlite3_int64 at)
{
    count_vfs_add(owner_of(f), (uint64_t)n, 0);
    return noted(f, real_of(f)->pMethods->xWrite(real_of(f), data, n, at));
}

static int count_truncate(sqlite3_file *f, sqlite3_int64 size)
{
    return noted(f, real_of(f)->pMethods->xTruncate(real_of(f), size));
}

static int count_sync(sqlite3_file *f, int flags)
{
    count_vfs_add(owner_of(f), 0, 1);
    return noted(f, real_of(f)->pMethods->xSync(real_of(f), flags));
}

static int count_size(sqlite3_file *f, sqlite3_int64 *size)
{
    return real_of(f)->pMethods->xFileSize(real_of(f), size);
}

static int count_lock(sqlite3_file *f, int kind)
{
    return real_of(f)->pMethods->xLock(real_of(f), kind);
}

static int count_unlock(sqlite3_file *f, int kind)
{
    return real_of(f)->pMethods->xUnlock(real_of(f), kind);
}

static int count_reserved(sqlite3_file *f, int *out)
{
    return real_of(f)->pMethods->xCheckReservedLock(real_of(f), out);
}

static int count_control(sqlite3_file *f, int op, void *arg)
{
    return real_of(f)->pMethods->xFileControl(real_of(f), op, arg);
}

static int count_sector(sqlite3_file *f)
{
    return real_of(f)->pMethods->xSectorSize(real_of(f));
}

static int count_traits(sqlite3_file *f)
{
    return real_of(f)->pMethods->xDeviceCharacteristics(real_of(f));
}

static int count_shm_map(sqlite3_file *f, int page, int size, int extend, void volatile **out)
{
    return real_of(f)->pMethods->xShmMap(real_of(f), page, size, extend, out);
}

static int count_shm_lock(sqlite3_file *f, int offset, int n, int flags)
{
    return real_of(f)->pMethods->xShmLock(real_of(f), offset, n, flags);
}

static void count_shm_barrier(sqlite3_file *f)
{
    real_of(f)->pMethods->xShmBarrier(real_of(f));
}

static int count_shm_unmap(sqlite3_file *f, int drop)
{
    return real_of(f)->pMethods->xShmUnmap(real_of(f), drop);
}

static int count_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out)
{
    /* Version 2: no memory-mapped reads, which are off by default anyway. */
    static const sqlite3_io_methods methods = {
        .iVersion = 2,
        .xClose = count_close,
        .xRead = count_read,
        .xWrite = count_write,
        .xTruncate = count_truncate,
        .xSync = count_sync,
        .xFileSize = count_size,
        .xLock = count_lock,
        .xUnlock = count_unlock,
        .xCheckReservedLock = count_reserved,
        .xFileControl = count_control,
        .xSectorSize = count_sector,
        .xDeviceCharacteristics = count_traits,
        .xShmMap = count_shm_map,
        .xShmLock = count_shm_lock,
        .xShmBarrier = count_shm_barrier,
        .xShmUnmap = count_shm_unmap,
    };
    struct count_vfs *owner = (struct count_vfs *)(void *)vfs;
    struct count_file *f = (struct count_file *)(void *)file;
    f->base.pMethods = NULL;
    f->owner = owner;
    int rc = owner->real->xOpen(owner->real, name, real_of(file), flags, out);
    if (rc != SQLITE_OK)
        (void)noted(file, rc);
    if (rc == SQLITE_OK || real_of(file)->pMethods != NULL)
        f->base.pMethods = &methods;
    return rc;
}

enum rg_err count_vfs_create(struct count_vfs **out)
{
    *out = NULL;
    struct count_vfs *v = calloc(1, sizeof(*v));
    if (v == NULL)
        return RG_ENOMEM;
    v->real = sqlite3_vfs_find(NULL);
    if (v->real == NULL) {
        free(v);
        return RG_EIO;
    }
    (void)text_format(v->name, sizeof(v->name), COUNT_VFS_NAME "%p", (void *)v); /* fits */
    v->vfs = *v->real;
    v->vfs.pNext = NULL;
    v->vfs.zName = v->name;
    v->vfs.szOsFile = (int)real_offset() + v->real->szOsFile;
    v->vfs.xOpen = count_open;
    v->vfs.xGetLastError = count_last_error;
    if (sqlite3_vfs_register(&v->vfs, 0) != SQLITE_OK) {
        free(v);
        return RG_ENOMEM;
    }
    *out = v;
    return RG_OK;
}

void count_vfs_destroy(struct count_vfs *v)
{
    if (v == NULL)
        return;
    (void)sqlite3_vfs_unregister(&v->vfs); /* it is registered, so this cannot fail */
    free(v);
}

const char *count_vfs_name(const struct count_vfs *v)
{
    return v->name;
}

void count_vfs_add(struct count_vfs *v, uint64_t bytes, uint64_t syncs)
{
    atomic_fetch_add_explicit(&v->bytes, bytes, memory_order_relaxed);
    atomic_fetch_add_explicit(&v->syncs, syncs, memory_order_relaxed);
}

struct count_written count_vfs_read(const struct count_vfs *v)
{
    return (struct count_written){
        .bytes = atomic_load_explicit(&v->bytes, memory_order_relaxed),
        .syncs = atomic_load_explicit(&v->syncs, memory_order_relaxed),
    };
}

uint64_t count_vfs_moved(const struct count_vfs *v)
{
    const struct count_written written = count_vfs_read(v);

    return written.bytes + written.syncs + atomic_load_explicit(&v->read, memory_order_relaxed);
}
