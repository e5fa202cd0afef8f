/* An audit's inside, for trace.c too. */
#ifndef RG_STORE_AUDIT_IMPL_H
#define RG_STORE_AUDIT_IMPL_H

#include "store/audit.h"
#include "store/audit_record.h"

struct audit {
    sqlite3 *db;
    char *path;
    struct chain *chain;
    int64_t version; /* of its schema */
    char why[512];
};

/* Puts SQLite's words into a->why. */
enum rg_err audit_failed(struct audit *a, int rc);

#endif
