#include "fault_vfs.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/random.h"
#include "base/text.h"

#define PATH_BYTES 512
#define SECTOR 512

/* One change of a file since its last sync, with what was there before. */
struct change {
    struct change *before;
    char path[PATH_BYTES];
    bool cut; /* a truncation to `at` */
    int64_t at, old_size;
    size_t length, old_length;
    char *bytes, *old;
    int fate; /* while a cut is played: bytes that are kept, -1: all */
};

struct fault_file {
    sqlite3_file base;
    int place; /* in sizes */
    char path[PATH_BYTES];
    sqlite3_file *real;
};

struct context {
    struct fault fault;
    bool watch;
    struct change *newest;
};

/* In the place of the system's, for the small files beside the database: see the header. */
int fsync(int file)
{
    (void)file;
    return 0;
}

int fdatasync(int file)
{
    (void)file;
    return 0;
}

static struct context *context(void)
{
    static struct context c = {.fault = {.countdown = -1, .cut_in = -1}};
    return &c;
}

struct fault *fault_now(void)
{
    return &context()->fault;
}

static sqlite3_vfs *real_vfs(void)
{
    return sqlite3_vfs_find("unix");
}

static struct fault_file *self(sqlite3_file *f)
{
    return (struct fault_file *)(void *)f;
}

static sqlite3_file *real_of(sqlite3_file *f)
{
    return self(f)->real;
}

static int hit(int error)
{
    if (error != SQLITE_OK)
        fault_now()->failures++;
    return error;
}

/* One more operation that changes the disk: whether it fails. */
static int count(void)
{
    struct fault *x = fault_now();
    x->operations++;
    if (x->cut_in == 0)
        x->off = true;
    if (x->cut_in > 0)
        x->cut_in--;
    if (x->off)
        return SQLITE_IOERR_WRITE;
    if (x->countdown < 0)
        return x->write_error;
    if (x->countdown > 0) {
        x->countdown--;
        return SQLITE_OK;
    }
    int error = x->write_error;
    if (x->once)
        x->write_error = SQLITE_OK;
    return error;
}

int64_t fault_total(void)
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

static int grow(int place, int64_t end)
{
    struct fault *x = fault_now();
    if (end <= x->sizes[place])
        return SQLITE_OK;
    if (x->capacity > 0 && fault_total() - x->sizes[place] + end > x->capacity)
        return SQLITE_FULL;
    x->sizes[place] = end;
    return SQLITE_OK;
}

static void drop(struct change *c)
{
    free(c->bytes);
    free(c->old);
    free(c);
}

static void note(sqlite3_file *f, bool cut, const void *bytes, size_t length, int64_t at)
{
    struct context *c = context();
    if (!c->watch)
        return;
    struct change *n = calloc(1, sizeof(*n));
    sqlite3_int64 size = 0;
    (void)real_of(f)->pMethods->xFileSize(real_of(f), &size);
    size_t old = cut ? (size_t)(size > at ? size - at : 0) : (size_t)(size > at ? size - at : 0);
    if (!cut && old > length)
        old = length;
    *n = (struct change){
        .before = c->newest, .cut = cut, .at = at, .old_size = size, .length = length, .old_length = old};
    memcpy(n->path, self(f)->path, PATH_BYTES);
    n->bytes = malloc(length + 1);
    n->old = malloc(old + 1);
    if (length > 0)
        memcpy(n->bytes, bytes, length);
    if (old > 0)
        (void)real_of(f)->pMethods->xRead(real_of(f), n->old, (int)old, at);
    c->newest = n;
}

/* What was changed in this file stays. */
static void settle(const char *path)
{
    struct change **at = &context()->newest;
    while (*at != NULL) {
        struct change *c = *at;
        if (strcmp(c->path, path) == 0) {
            *at = c->before;
            drop(c);
        } else {
            at = &c->before;
        }
    }
}

static int fault_write(sqlite3_file *f, const void *data, int n, sqlite3_int64 at)
{
    int rc = hit(count());
    if (rc == SQLITE_OK)
        rc = hit(grow(self(f)->place, at + n));
    else if (fault_now()->shortly && !fault_now()->off)
        (void)real_of(f)->pMethods->xWrite(real_of(f), data, n / 2, at);
    if (rc != SQLITE_OK)
        return rc;
    note(f, false, data, (size_t)n, at);
    return real_of(f)->pMethods->xWrite(real_of(f), data, n, at);
}

static int fault_sync(sqlite3_file *f, int flags)
{
    struct fault *x = fault_now();
    (void)flags;
    if (x->on_sync != NULL)
        x->on_sync(x->arg);
    x->syncs++;
    int rc = x->sync_error;
    if (x->countdown >= 0 || x->cut_in >= 0 || x->off) {
        int counted = count();
        rc = rc == SQLITE_OK ? counted : rc;
    } else {
        x->operations++;
    }
    rc = hit(rc);
    if (rc == SQLITE_OK)
        settle(self(f)->path);
    return rc;
}

static int fault_truncate(sqlite3_file *f, sqlite3_int64 size)
{
    int rc = hit(fault_now()->countdown >= 0 || fault_now()->cut_in >= 0 || fault_now()->off ? count()
                                                                                             : SQLITE_OK);
    if (rc != SQLITE_OK)
        return rc;
    note(f, true, NULL, 0, size);
    fault_now()->sizes[self(f)->place] = size;
    return real_of(f)->pMethods->xTruncate(real_of(f), size);
}

static int fault_close(sqlite3_file *f)
{
    fault_now()->open[self(f)->place] = false;
    int rc = real_of(f)->pMethods->xClose(real_of(f));
    free(real_of(f));
    return rc;
}

static int fault_read(sqlite3_file *f, void *to, int n, sqlite3_int64 at)
{
    if (fault_now()->read_error != SQLITE_OK && n >= 512)
        return hit(fault_now()->read_error);
    return real_of(f)->pMethods->xRead(real_of(f), to, n, at);
}

static int fault_size(sqlite3_file *f, sqlite3_int64 *size)
{
    return real_of(f)->pMethods->xFileSize(real_of(f), size);
}

static int fault_lock(sqlite3_file *f, int kind)
{
    return real_of(f)->pMethods->xLock(real_of(f), kind);
}

static int fault_unlock(sqlite3_file *f, int kind)
{
    return real_of(f)->pMethods->xUnlock(real_of(f), kind);
}

static int fault_reserved(sqlite3_file *f, int *out)
{
    return real_of(f)->pMethods->xCheckReservedLock(real_of(f), out);
}

static int fault_control(sqlite3_file *f, int op, void *arg)
{
    return real_of(f)->pMethods->xFileControl(real_of(f), op, arg);
}

static int fault_sector(sqlite3_file *f)
{
    return real_of(f)->pMethods->xSectorSize(real_of(f));
}

static int fault_traits(sqlite3_file *f)
{
    return real_of(f)->pMethods->xDeviceCharacteristics(real_of(f));
}

static int fault_shm_map(sqlite3_file *f, int page, int size, int extend, void volatile **out)
{
    return real_of(f)->pMethods->xShmMap(real_of(f), page, size, extend, out);
}

static int fault_shm_lock(sqlite3_file *f, int offset, int n, int flags)
{
    return real_of(f)->pMethods->xShmLock(real_of(f), offset, n, flags);
}

static void fault_shm_barrier(sqlite3_file *f)
{
    real_of(f)->pMethods->xShmBarrier(real_of(f));
}

static int fault_shm_unmap(sqlite3_file *f, int drop_it)
{
    return real_of(f)->pMethods->xShmUnmap(real_of(f), drop_it);
}

static int fault_delete(sqlite3_vfs *vfs, const char *name, int sync_folder)
{
    (void)vfs;
    (void)sync_folder;
    if (fault_now()->off)
        return SQLITE_IOERR_DELETE;
    settle(name); /* nobody will miss it */
    return real_vfs()->xDelete(real_vfs(), name, 0);
}

static int fault_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out)
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
    struct fault_file *f = self(file);
    f->base.pMethods = NULL;
    (void)text_copy(f->path, sizeof(f->path), name == NULL ? "" : name);
    f->real = calloc(1, (size_t)real_vfs()->szOsFile);
    for (f->place = 0; f->place < 15 && x->open[f->place];)
        f->place++;
    int rc = f->real == NULL ? SQLITE_NOMEM : real_vfs()->xOpen(real_vfs(), name, f->real, flags, out);
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

void fault_install(void)
{
    static sqlite3_vfs vfs;
    vfs = *real_vfs();
    vfs.zName = "fault";
    vfs.szOsFile = sizeof(struct fault_file);
    vfs.xOpen = fault_open;
    vfs.xDelete = fault_delete;
    vfs.pNext = NULL;
    (void)sqlite3_vfs_register(&vfs, 1);
}

void fault_clear(void)
{
    struct fault *x = fault_now();
    x->write_error = x->sync_error = x->read_error = 0;
    x->capacity = 0;
    x->beside = NULL;
    x->on_sync = NULL;
    x->countdown = x->cut_in = -1;
    x->once = x->shortly = x->off = false;
    x->failures = x->operations = x->syncs = 0;
}

void fault_watch(bool on)
{
    struct context *c = context();
    c->watch = on;
    while (c->newest != NULL) {
        struct change *n = c->newest;
        c->newest = n->before;
        drop(n);
    }
}

static void put(const char *path, const char *bytes, size_t length, int64_t at, int64_t size)
{
    int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
    if (file < 0)
        abort(); /* a test cannot go on */
    if (length > 0 && pwrite(file, bytes, length, (off_t)at) != (ssize_t)length)
        abort();
    if (size >= 0 && ftruncate(file, (off_t)size) != 0)
        abort();
    (void)close(file);
}

/* How much of it is kept: -1: all. */
static int fate(const struct change *c, bool last, enum fault_loss loss, struct rg_random *random)
{
    if (loss != FAULT_LOSE_SOME)
        return loss == FAULT_KEEP_ALL ? -1 : 0;
    uint64_t drawn = random_below(random, 3);
    if (last && c->length > SECTOR && drawn == 2)
        return (int)(random_below(random, c->length / SECTOR) * SECTOR);
    return drawn == 0 ? 0 : -1;
}

static bool is_last(const struct change *newest, const struct change *c)
{
    for (const struct change *n = newest; n != c; n = n->before) {
        if (strcmp(n->path, c->path) == 0)
            return false;
    }
    return true;
}

void fault_cut(enum fault_loss loss, uint64_t seed)
{
    struct context *c = context();
    struct rg_random random;
    random_seed(&random, seed);
    /* Back to what was synced, then on with what is kept. */
    struct change *oldest_first = NULL;
    for (struct change *n = c->newest; n != NULL; n = n->before) {
        n->fate = fate(n, is_last(c->newest, n), loss, &random);
        put(n->path, n->old, n->old_length, n->at, n->old_size);
    }
    while (c->newest != NULL) {
        struct change *n = c->newest;
        c->newest = n->before;
        n->before = oldest_first;
        oldest_first = n;
    }
    while (oldest_first != NULL) {
        struct change *n = oldest_first;
        oldest_first = n->before;
        if (n->cut && n->fate != 0)
            put(n->path, NULL, 0, 0, n->at);
        else if (!n->cut && n->fate != 0)
            put(n->path, n->bytes, n->fate < 0 ? n->length : (size_t)n->fate, n->at, -1);
        drop(n);
    }
    c->fault.off = false;
    c->fault.cut_in = -1;
}
