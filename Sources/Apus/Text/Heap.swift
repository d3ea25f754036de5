/// Elements of which the least is taken first, in time logarithmic in how many there are.
struct Heap<Element: Comparable> {
    private var elements: [Element] = []

    mutating func push(_ element: Element) {
        elements.append(element)
        var place = elements.count - 1
        while place > 0, elements[place] < elements[(place - 1) / 2] {
            elements.swapAt(place, (place - 1) / 2)
            place = (place - 1) / 2
        }
    }

    mutating func pop() -> Element? {
        guard let top = elements.first else { return nil }
        let last = elements.removeLast()
        guard !elements.isEmpty else { return top }
        elements[0] = last
        var place = 0
        while true {
            var first = place
            for child in [2 * place + 1, 2 * place + 2] where child < elements.count && elements[child] < elements[first] {
                first = child
            }
            if first == place { return top }
            elements.swapAt(place, first)
            place = first
        }
    }
}
