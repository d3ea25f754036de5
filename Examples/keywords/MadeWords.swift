import Apus
import ApusGraph
import Foundation

/// Made sounds: a word is a tone whose pitch rises, falls, rises and falls, or stays, at a random pitch, speed, place and
/// loudness, in noise.
enum MadeWords {
    static let classNames = ["nothing", "rise", "fall", "hill", "level"]
    /// Samples a second, and how they are cut.
    static let rate = 4_000.0, frameLength = 16, frames = 100

    /// Clips [count, frames, samples of a frame], and for every frame the word that has ended by then, or nothing.
    static func dataset(_ count: Int, seed: UInt64) throws(ApusError) -> Dataset {
        var random = Philox(seed: seed, stream: 2)
        var samples: [Float] = [], labels: [Int32] = []
        for _ in 0..<count {
            let word = Int(random.next32() % UInt32(classNames.count))
            let (sound, end) = clip(word, &random)
            samples += sound
            labels += (0..<frames).map { word > 0 && ($0 + 1) * frameLength > end ? Int32(word) : 0 }
        }
        return try Dataset(
            inputs: Tensor(samples, shape: [count, frames, frameLength]), targets: Tensor(labels, shape: [count, frames]),
            classNames: classNames)
    }

    /// A clip, and the sample at which its word ends.
    private static func clip(_ word: Int, _ random: inout Philox) -> (samples: [Float], end: Int) {
        func uniform(_ range: ClosedRange<Double>) -> Double {
            range.lowerBound + (range.upperBound - range.lowerBound) * Double(random.uniform())
        }
        let length = frames * frameLength
        var clip = (0..<length).map { _ in Float(0.15 * random.normal()) }
        let duration = Int(uniform(0.4...0.6) * Double(length)), start = Int(uniform(0.05...0.35) * Double(length))
        let pitch = uniform(300...500), span = uniform(150...300), loudness = uniform(0.3...1)
        guard word > 0 else { return (clip, length) }
        var phase = uniform(0...6)
        for i in 0..<duration {
            let place = Double(i) / Double(duration)
            let height = [0, place, 1 - place, 1 - abs(2 * place - 1), 0.5][word]
            phase += 2 * Double.pi * (pitch + span * height) / rate
            clip[start + i] += Float(loudness * sin(Double.pi * place) * sin(phase))
        }
        return (clip, start + duration)
    }
}
