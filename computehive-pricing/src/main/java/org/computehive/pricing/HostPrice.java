package org.computehive.pricing;

import java.util.ArrayList;
import java.util.List;
import org.computehive.rental.PriceAdvisor.Lot;
import org.computehive.rental.PriceAdvisor.Request;
import org.computehive.rental.PriceSuggestion.Confidence;
import org.computehive.rental.PriceSuggestion.Factor;

/**
 * What all gpus of a host are worth together, before what the host adds. Immutable.
 *
 * <p>Processors and memory are shared by as many gpus as the host would have if all were its dearest model and it cost the
 * same: so a small gpu beside a large one takes little of them, and another gpu never makes the host cheaper.
 *
 * @param reference the peer that the first model's factors are relative to
 * @param referenceMicros what the peer costs, in micro-USD per hour
 * @param factors what leads from one peer to all gpus
 * @param confidence that of the gpu that is known least
 * @param low the lower end of the range over the point, in logarithms; at most 0
 * @param high the upper end, at least 0
 * @param equivalents how many gpus share the host, at least 1
 */
record HostPrice(
        GpuFacts reference,
        long referenceMicros,
        List<Factor> factors,
        Confidence confidence,
        double low,
        double high,
        double equivalents) {
    HostPrice {
        factors = List.copyOf(factors);
    }

    static HostPrice of(Request request, GpuEstimator gpus) {
        GpuEstimate first = gpus.estimate(request.gpuModel(), request.gpuMemoryMiB());
        int count = request.gpuCount();
        double each = first.referenceMicros() * first.multiplier();
        double sum = count * each;
        double low = sum * StrictMath.exp(first.low());
        double high = sum * StrictMath.exp(first.high());
        double dearest = each;
        Confidence confidence = first.confidence();
        var names = new ArrayList<String>();
        for (Lot lot : request.others()) {
            GpuEstimate other = gpus.estimate(lot.gpuModel(), lot.gpuMemoryMiB());
            double price = other.referenceMicros() * other.multiplier();
            sum += lot.gpuCount() * price;
            low += lot.gpuCount() * price * StrictMath.exp(other.low());
            high += lot.gpuCount() * price * StrictMath.exp(other.high());
            dearest = Math.max(dearest, price);
            confidence = confidence.compareTo(other.confidence()) < 0 ? other.confidence() : confidence;
            names.add(lot.gpuCount() + " x " + lot.gpuModel() + " at " + TribuoPriceAdvisor.usd(Math.round(price))
                    + " USD/h each");
        }
        var factors = new ArrayList<>(first.factors());
        if (count != 1) {
            factors.add(new Factor("number of gpus", count, count + " together against one"));
        }
        if (!names.isEmpty()) {
            factors.add(new Factor("other gpus of the host", sum / (count * each), "with " + String.join(", ", names)));
        }
        return new HostPrice(
                first.reference(),
                first.referenceMicros(),
                factors,
                confidence,
                Math.min(0, StrictMath.log(low / sum)),
                Math.max(0, StrictMath.log(high / sum)),
                sum / dearest);
    }
}
