/* YAML files -> one immutable site. Taken whole or not at all; every error of every file, each with its place. */
#ifndef RG_CONFIG_CONFIG_H
#define RG_CONFIG_CONFIG_H

#include <stdio.h>

#include "base/arena.h"
#include "base/error.h"
#include "model/site.h"

#define CONFIG_FILE_BYTES (8u << 20)  /* of one file */
#define CONFIG_TOTAL_BYTES (64u << 20) /* of all files together */
#define CONFIG_FILES 256
#define CONFIG_DEPTH 32
#define CONFIG_ERRORS 200 /* further ones are counted, not kept */

enum config_severity { CONFIG_ERROR, CONFIG_WARNING };

struct config_issue {
    enum config_severity severity;
    const char *file;   /* as it was reached from the command line */
    unsigned line, column; /* from 1; 0: the file as a whole */
    const char *text;
    const char *source; /* the offending line, without its end; NULL when there is none */
};

struct config {
    struct arena arena;       /* holds everything below */
    struct site *site;        /* NULL when there were errors */
    char sha256[65];          /* lower-case hex over all files' bytes, in the order they were read */
    const char *file;
    struct config_issue *issues; /* in order of file and line; warnings among them */
    size_t issue_count;
    size_t error_count, warning_count; /* those not kept included */
};

/* Never fails but for memory (RG_ENOMEM, *out is NULL then): what is wrong with the files is in issues. Free with config_free. */
RG_NODISCARD enum rg_err config_load(const char *file, struct config **out);
void config_free(struct config *config); /* takes NULL */
/* file:line:column: error: text, the line, and a caret under the column. */
void config_print(const struct config *config, FILE *to);

/* The JSON Schema (draft 2020-12) of a configuration file, generated from the same table that the loader uses. */
void config_write_schema(FILE *to);

#endif
