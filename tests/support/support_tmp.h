/* Temporary folders for tests. */
#ifndef RG_TESTS_SUPPORT_TMP_H
#define RG_TESTS_SUPPORT_TMP_H

#include <stdbool.h>

#define SUPPORT_TMP_SIZE 256

/* Makes a folder of its own below $TMPDIR or /tmp. False: it could not. */
bool support_tmp_dir(char out[SUPPORT_TMP_SIZE]);
/* Removes the folder and all that is in it, following no link. False when something stayed. */
bool support_tmp_remove(const char *path);

#endif
