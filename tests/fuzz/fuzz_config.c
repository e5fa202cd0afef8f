/* LINK rg_config */
/* Any bytes as a configuration: never a crash, a leak or a hang; a site or an error, and every issue
 * printable. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "config/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct config *config;
    FILE *sink = fopen("/dev/null", "w");

    if (!sink)
        return 0;
    if (config_load_text("fuzz.yaml", (const char *)data, size, &config) == RG_OK) {
        if ((config->site == NULL) != (config->error_count > 0))
            abort();
        config_print(config, sink);
        config_free(config);
    }
    (void)fclose(sink);
    return 0;
}
