package org.computehive.embedded;

import org.computehive.rental.Notifier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Delivers nothing, and says so in the program's log. */
final class LoggingNotifier implements Notifier {
    private static final Logger LOG = LoggerFactory.getLogger(LoggingNotifier.class);

    @Override
    public void deliver(Notice notice) {
        LOG.atInfo()
                .addKeyValue("rental", notice.rental())
                .addKeyValue("recipient", notice.recipient())
                .addKeyValue("method", notice.method())
                .addKeyValue("sequence", notice.sequence())
                .log("calendar message delivered to nobody: set a notifier");
    }
}
