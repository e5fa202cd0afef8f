/* Paho's sending thread looks whether there is something to send, and then waits for its condition, for a second at most: what was handed over and
 * signalled in between goes when the second is over (1.3.12; MQTTAsync_sendThread). Once in tens of thousands of messages an alarm would be
 * that late. So what is not answered soon is followed by a second signal.
 *
 * Only what puts something into Paho's queue signals. That is here a message for a client of its own, which never connects and keeps the
 * newest one: nothing of it ever goes anywhere. */
#include "uplink/paho_inside.h"

static enum rg_err make_nudger(struct paho_client *c)
{
    MQTTAsync_createOptions options = MQTTAsync_createOptions_initializer;

    options.sendWhileDisconnected = 1;
    options.allowDisconnectedSendAtAnyTime = 1;
    options.maxBufferedMessages = 1;
    options.deleteOldestMessages = 1;
    return paho_make(&c->nudger, "tcp://127.0.0.1:1", "nudge", &options) == MQTTASYNC_SUCCESS ? RG_OK
                                                                                              : RG_ENOMEM;
}

bool paho_client_waits(struct paho_client *c)
{
    bool waits = false;

    (void)pthread_mutex_lock(&c->mutex);
    for (size_t i = 0; i < PAHO_SLOTS; i++)
        waits = waits || (c->slots[i].used && c->slots[i].generation == c->generation);
    (void)pthread_mutex_unlock(&c->mutex);
    return waits;
}

enum rg_err paho_client_nudge(struct paho_client *c)
{
    enum rg_err err = c->nudger ? RG_OK : make_nudger(c);

    if (err != RG_OK)
        return err;
    return MQTTAsync_send(c->nudger, "nudge", 0, "", 0, 0, NULL) == MQTTASYNC_SUCCESS ? RG_OK : RG_EIO;
}
