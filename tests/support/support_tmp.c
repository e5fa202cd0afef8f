#include "support_tmp.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"

#define OPEN_FOLDERS 16

bool support_tmp_dir(char out[SUPPORT_TMP_SIZE])
{
    const char *parent = getenv("TMPDIR");

    if (!parent || !*parent)
        parent = "/tmp";
    if (!text_format(out, SUPPORT_TMP_SIZE, "%s/riskgate-test-XXXXXX", parent))
        return false;
    return mkdtemp(out) != NULL;
}

static int remove_entry(const char *path, const struct stat *st, int kind, struct FTW *where)
{
    (void)st;
    (void)kind;
    (void)where;
    return remove(path);
}

bool support_tmp_remove(const char *path)
{
    if (nftw(path, remove_entry, OPEN_FOLDERS, FTW_DEPTH | FTW_PHYS) == 0)
        return true;
    return errno == ENOENT;
}
