/* The reference part of riskgate.yaml(5), in man(7): the rows of the table once more. */
#ifndef RG_CONFIG_MANUAL_H
#define RG_CONFIG_MANUAL_H

#include <stdio.h>

#include "base/error.h"

/* Writes each key with its type, range, default and an example. The examples are cut out of two files: a configuration and a
 * profile that hold every key at least once, so that what the page shows is what the loader takes. RG_EINVAL: a file cannot be
 * read, or lacks a key; *missing (256 bytes) says what then. */
RG_NODISCARD enum rg_err config_write_manual(const char *config_file, const char *profile_file, FILE *to,
                                             char *missing);

#endif
