package org.computehive.server.api;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.util.Map;
import org.computehive.access.AccessException;
import org.computehive.rental.EscrowException;
import org.computehive.rental.HypervisorException;
import org.computehive.rental.RentalException;
import org.computehive.rental.RentalId;
import org.junit.jupiter.api.Test;

class ProblemsTest {

    @Test
    void of_eachErrorOfTheEngines_hasTheStatusThatSaysWhatTheCallerCanDo() {
        Map<Throwable, Integer> expected = Map.ofEntries(
                Map.entry(new RentalException.NotFound("x"), 404),
                Map.entry(new RentalException.NotAllowed("x"), 403),
                Map.entry(new RentalException.WrongState("x"), 409),
                Map.entry(new RentalException.Superseded("x"), 409),
                Map.entry(new RentalException.Overlap("x"), 409),
                Map.entry(new RentalException.LaneTaken("x"), 409),
                Map.entry(new RentalException.KeyReused("x"), 422),
                Map.entry(new RentalException.Expired("x"), 410),
                Map.entry(new RentalException.Unacceptable("x"), 422),
                Map.entry(new EscrowException.Refused("x", null), 422),
                Map.entry(new EscrowException.NotYet("x", null), 409),
                Map.entry(new EscrowException.Unreachable("x", null), 503),
                Map.entry(new HypervisorException.Lacking("x", null), 503),
                Map.entry(new AccessException.KeyRefused("x"), 422),
                Map.entry(new AccessException.OutsideWindow("x"), 409),
                Map.entry(new IllegalArgumentException("x"), 422),
                Map.entry(new Caller.Forbidden("x"), 403),
                Map.entry(new BadField("f", "x"), 400));

        expected.forEach((error, status) -> assertEquals(
                status, Problems.of(error).status(), error.getClass().getName()));
    }

    @Test
    void of_aFaultOfOurs_saysNothingOfIt() {
        Problem problem = Problems.of(new IllegalStateException("secret of org.computehive"));

        assertEquals(500, problem.status());
        assertFalse(problem.detail().contains("secret"));
    }

    @Test
    void parse_ofAWrongValue_namesTheFieldAndPassesTheTypesComplaintOn() {
        BadField error = org.junit.jupiter.api.Assertions.assertThrows(
                BadField.class, () -> BadField.parse("quote", "nonsense", RentalId::new));

        assertEquals("quote", error.field());
        assertEquals(
                "not a rental id: 26 characters of 0123456789abcdefghjkmnpqrstvwxyz are expected, 8 characters came",
                error.getMessage());
    }
}
