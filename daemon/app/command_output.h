/* What riskgatectl may ask of the outputs. */
#ifndef RG_APP_COMMAND_OUTPUT_H
#define RG_APP_COMMAND_OUTPUT_H

#include "app/pipeline.h"
#include "base/json_read.h"

/* [{name, wanted, state, ...}], as `outputs` and in `status`. */
void command_output_list(const struct pipeline *p, struct jsonw *w);
/* `silence` ({output?, by}; without one all that sound and may be silenced): a list of those it silenced. */
RG_NODISCARD enum rg_err command_output_silence(struct pipeline *p, const struct json *request,
                                                struct jsonw *w, char *error, size_t error_size);
/* `test` ({output, for_ms, by}): its name. */
RG_NODISCARD enum rg_err command_output_test(struct pipeline *p, const struct json *request, struct jsonw *w,
                                             char *error, size_t error_size);

#endif
