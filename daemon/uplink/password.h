/* The password of an uplink, out of its file. Blocking, as long as a small local file takes. */
#ifndef RG_UPLINK_PASSWORD_H
#define RG_UPLINK_PASSWORD_H

#include "base/error.h"

#define PASSWORD_MAX 1024 /* bytes, with the NUL */

/* The first line, without its end. The caller wipes out. RG_EIO, RG_EINVAL: *what says why in a few words: never anything of
 * what is in the file. */
RG_NODISCARD enum rg_err password_read(const char *path, char out[PASSWORD_MAX], const char **what);

#endif
