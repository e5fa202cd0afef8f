/* A file system under SQLite that fails when told to: a shim over the default VFS, for one thread. */
#ifndef RG_TESTS_STORE_VFS_H
#define RG_TESTS_STORE_VFS_H

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <sqlite3.h>

struct fault {
    int write_error, sync_error; /* SQLite's codes; 0: none */
    int64_t capacity;            /* bytes that all files may have together; 0: no bound */
    const char *beside;          /* one more file that takes of the capacity, or NULL */
    int64_t countdown;           /* so many writes and syncs, then each gives write_error; -1: not counted */
    void (*on_sync)(void *arg);  /* or NULL */
    void *arg;
    uint64_t failures;
    int64_t sizes[16]; /* of the files that are open */
    bool open[16];
};

/* The one fault of the test program: a VFS has no other way to its context that SQLite's own calls keep. */
static inline struct fault *fault_now(void)
{
    static struct fault fault = {.countdown = -1};
    return &fault;
}

struct fault_file {
    sqlite3_file base;
    int place; /* in sizes */
    sqlite3_file *real;
};

static inline sqlite3_vfs *fault_real_vfs(void)
{
    return sqlite3_vfs_find("unix");
}

static inline sqlite3_file *fault_of(sqlite3_file *f)
{
    return ((struct fault_file *)f)->real;
}

static inline int fault_hit(int error)
{
    if (error != SQLITE_OK)
        fault_now()->failures++;
    return error;
}

static inline int fault_count(void)
{
    struct fault *x = fault_now();
    if (x->countdown < 0)
        return x->write_error;
    if (x->countdown > 0) {
        x->countdown--;
        return SQLITE_OK;
    }
    return x->write_error;
}

static inline int64_t fault_total(void)
{
    struct fault *x = fault_now();
    int64_t total = 0;
    for (int i = 0; i < 16; i++)
        total += x->open[i] ? x->sizes[i] : 0;
    struct stat beside;
    if (x->beside != NULL && stat(x->beside, &beside) == 0)
        total += beside.st_size;
    return total;
}

static inline int fault_grow(int place, int64_t end)
{
    struct fault *x = fault_now();
    if (end <= x->sizes[place])
        return SQLITE_OK;
    if (x->capacity > 0 && fault_total() - x->sizes[place] + end > x->capacity)
        return SQLITE_FULL;
    x->sizes[place] = end;
    return SQLITE_OK;
}

static inline int fault_write(sqlite3_file *f, const void *data, int n, sqlite3_int64 at)
{
    int rc = fault_hit(fault_count());
    if (rc == SQLITE_OK)
        rc = fault_hit(fault_grow(((struct fault_file *)f)->place, at + n));
    return rc != SQLITE_OK ? rc : fault_of(f)->pMethods->xWrite(fault_of(f), data, n, at);
}

static inline int fault_sync(sqlite3_file *f, int flags)
{
    if (fault_now()->on_sync != NULL)
        fault_now()->on_sync(fault_now()->arg);
    int rc = fault_now()->sync_error;
    if (rc == SQLITE_OK && fault_now()->countdown >= 0)
        rc = fault_count();
    rc = fault_hit(rc);
    (void)f;
    (void)flags;
    return rc; /* no test here cuts the power, so the real sync would only cost time */
}

static inline int fault_truncate(sqlite3_file *f, sqlite3_int64 size)
{
    fault_now()->sizes[((struct fault_file *)f)->place] = size;
    return fault_of(f)->pMethods->xTruncate(fault_of(f), size);
}

static inline int fault_close(sqlite3_file *f)
{
    fault_now()->open[((struct fault_file *)f)->place] = false;
    int rc = fault_of(f)->pMethods->xClose(fault_of(f));
    free(fault_of(f));
    return rc;
}

static inline int fault_read(sqlite3_file *f, void *to, int n, sqlite3_int64 at)
{
    return fault_of(f)->pMethods->xRead(fault_of(f), to, n, at);
}

static inline int fault_size(sqlite3_file *f, sqlite3_int64 *size)
{
    return fault_of(f)->pMethods->xFileSize(fault_of(f), size);
}

static inline int fault_lock(sqlite3_file *f, int kind)
{
    return fault_of(f)->pMethods->xLock(fault_of(f), kind);
}

static inline int fault_unlock(sqlite3_file *f, int kind)
{
    return fault_of(f)->pMethods->xUnlock(fault_of(f), kind);
}

static inline int fault_reserved(sqlite3_file *f, int *out)
{
    return fault_of(f)->pMethods->xCheckReservedLock(fault_of(f), out);
}

static inline int fault_control(sqlite3_file *f, int op, void *arg)
{
    return fault_of(f)->pMethods->xFileControl(fault_of(f), op, arg);
}

static inline int fault_sector(sqlite3_file *f)
{
    return fault_of(f)->pMethods->xSectorSize(fault_of(f));
}

static inline int fault_traits(sqlite3_file *f)
{
    return fault_of(f)->pMethods->xDeviceCharacteristics(fault_of(f));
}

static inline int fault_shm_map(sqlite3_file *f, int page, int size, int extend, void volatile **out)
{
    return fault_of(f)->pMethods->xShmMap(fault_of(f), page, size, extend, out);
}

static inline int fault_shm_lock(sqlite3_file *f, int offset, int n, int flags)
{
    return fault_of(f)->pMethods->xShmLock(fault_of(f), offset, n, flags);
}

static inline void fault_shm_barrier(sqlite3_file *f)
{
    fault_of(f)->pMethods->xShmBarrier(fault_of(f));
}

static inline int fault_shm_unmap(sqlite3_file *f, int drop)
{
    return fault_of(f)->pMethods->xShmUnmap(fault_of(f), drop);
}

static inline int fault_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out)
{
    static const sqlite3_io_methods methods = {
        .iVersion = 2,
        .xClose = fault_close,
        .xRead = fault_read,
        .xWrite = fault_write,
        .xTruncate = fault_truncate,
        .xSync = fault_sync,
        .xFileSize = fault_size,
        .xLock = fault_lock,
        .xUnlock = fault_unlock,
        .xCheckReservedLock = fault_reserved,
        .xFileControl = fault_control,
        .xSectorSize = fault_sector,
        .xDeviceCharacteristics = fault_traits,
        .xShmMap = fault_shm_map,
        .xShmLock = fault_shm_lock,
        .xShmBarrier = fault_shm_barrier,
        .xShmUnmap = fault_shm_unmap,
    };
    (void)vfs;
    struct fault *x = fault_now();
    struct fault_file *f = (struct fault_file *)file;
    f->base.pMethods = NULL;
    f->real = calloc(1, (size_t)fault_real_vfs()->szOsFile);
    for (f->place = 0; f->place < 15 && x->open[f->place];)
        f->place++;
    int rc =
        f->real == NULL ? SQLITE_NOMEM : fault_real_vfs()->xOpen(fault_real_vfs(), name, f->real, flags, out);
    if (rc != SQLITE_OK) {
        free(f->real);
        return rc;
    }
    sqlite3_int64 size = 0;
    (void)f->real->pMethods->xFileSize(f->real, &size);
    /* The reader opens the same files as the writer: only one of the two counts. */
    x->open[f->place] = true;
    x->sizes[f->place] = size;
    f->base.pMethods = &methods;
    return SQLITE_OK;
}

/* Makes it the VFS of every connection opened from now on. */
static inline void fault_install(void)
{
    static sqlite3_vfs vfs;
    vfs = *fault_real_vfs();
    vfs.zName = "fault";
    vfs.szOsFile = sizeof(struct fault_file);
    vfs.xOpen = fault_open;
    vfs.pNext = NULL;
    (void)sqlite3_vfs_register(&vfs, 1);
}

static inline void fault_clear(void)
{
    struct fault *x = fault_now();
    x->write_error = x->sync_error = 0;
    x->capacity = 0;
    x->beside = NULL;
    x->on_sync = NULL;
    x->countdown = -1;
    x->failures = 0;
}

#endif
