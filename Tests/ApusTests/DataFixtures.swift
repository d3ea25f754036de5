import Foundation

/// Small files made with NumPy 2.4 and Pillow 13.
enum DataFixtures {
    /// np.arange(6, dtype="<f4").reshape(2, 3) - 2.5, version 1.
    static let npyFloats = decoded("""
        k05VTVBZAQB2AHsnZGVzY3InOiAnPGY0JywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDIsIDMpLCB9ICAgICAgICAgICAg
        ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAACDAAADAvwAAAL8AAAA/AADAPwAAIEA=
        """)
    /// np.asfortranarray(np.arange(24, dtype="<i2").reshape(2, 3, 4)).
    static let npyFortran = decoded("""
        k05VTVBZAQB2AHsnZGVzY3InOiAnPGkyJywgJ2ZvcnRyYW5fb3JkZXInOiBUcnVlLCAnc2hhcGUnOiAoMiwgMywgNCksIH0gICAgICAgICAg
        ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAAwABAAQAAgAFAABAA0ABQARAAkAFQACAA4ABgASAAoA
        FgADAA8ABwATAAsAFwA=
        """)
    /// np.array([1, -2], "<i8"), version 2.
    static let npyVersion2 = decoded("""
        k05VTVBZAgB0AAAAeydkZXNjcic6ICc8aTgnLCAnZm9ydHJhbl9vcmRlcic6IEZhbHNlLCAnc2hhcGUnOiAoMiwpLCB9ICAgICAgICAgICAg
        ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoBAAAAAAAAAP7/////////
        """)
    /// np.array(2.5, "<f2"), version 3.
    static let npyVersion3 = decoded("""
        k05VTVBZAwB0AAAAeydkZXNjcic6ICc8ZjInLCAnZm9ydHJhbl9vcmRlcic6IEZhbHNlLCAnc2hhcGUnOiAoKSwgfSAgICAgICAgICAgICAg
        ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAQQ==
        """)
    /// np.array([True, False, True]).
    static let npyBools = decoded("""
        k05VTVBZAQB2AHsnZGVzY3InOiAnfGIxJywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDMsKSwgfSAgICAgICAgICAgICAg
        ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoBAAE=
        """)
    /// np.array([1, 2], ">i4").
    static let npyBigEndian = decoded("""
        k05VTVBZAQB2AHsnZGVzY3InOiAnPmk0JywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDIsKSwgfSAgICAgICAgICAgICAg
        ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAAABAAAAAg==
        """)
    /// np.savez_compressed(a=np.zeros((4, 100), "<f4"), b=np.arange(3, dtype="|u1")).
    static let npzDeflated = decoded("""
        UEsDBC0AAAAIAAAAIQCM7aAA//////////8FABQAYS5ucHkBABAAwAYAAAAAAABVAAAAAAAAAJvsF+obEMnIUMZQrZ6SWpxcpG6loG6TZqKu
        o6Cell9UUpSYF59flJIKEndLzClOBYoXZyQWpAL5GiY6CoYGBpo6CrUKZAIuhlEwCkbBKBgFo4AMAABQSwMELQAAAAgAAAAhAEjqZuz/////
        /////wUAFABiLm5weQEAEACDAAAAAAAAAEcAAAAAAAAAm+wX6hsQychQxlCtnpJanFykbqWgXlNqqK6joJ6WX1RSlJgXn1+UkgoSd0vMKU4F
        ihdnJBakAvkaxjqaOgq1ChQALgZGJgBQSwECLQMtAAAACAAAACEAjO2gAFUAAADABgAABQAAAAAAAAAAAAAAgAEAAAAAYS5ucHlQSwECLQMt
        AAAACAAAACEASOpm7EcAAACDAAAABQAAAAAAAAAAAAAAgAGMAAAAYi5ucHlQSwUGAAAAAAIAAgBmAAAACgEAAAAA
        """)
    /// np.savez(x=np.array([[1.5]])).
    static let npzStored = decoded("""
        UEsDBC0AAAAAAAAAIQCDbRLk//////////8FABQAeC5ucHkBABAAiAAAAAAAAACIAAAAAAAAAJNOVU1QWQEAdgB7J2Rlc2NyJzogJzxmOCcs
        ICdmb3J0cmFuX29yZGVyJzogRmFsc2UsICdzaGFwZSc6ICgxLCAxKSwgfSAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAg
        ICAgICAgICAgICAgICAgICAgICAKAAAAAAAA+D9QSwECLQMtAAAAAAAAACEAg20S5IgAAACIAAAABQAAAAAAAAAAAAAAgAEAAAAAeC5ucHlQ
        SwUGAAAAAAEAAQAzAAAAvwAAAAAA
        """)

    /// The colour of the picture's pixel (x, y): (50 y, 40 x, 9 x y mod 256), 7 wide and 5 high.
    static let picture: [UInt8] = (0..<35).flatMap { (index: Int) -> [UInt8] in
        let (y, x) = index.quotientAndRemainder(dividingBy: 7)
        return [UInt8(50 * y), UInt8(40 * x), UInt8(9 * x * y % 256)]
    }
    /// The picture.
    static let pngRGB = decoded("""
        iVBORw0KGgoAAAANSUhEUgAAAAcAAAAFCAIAAAAG+GGPAAAAJUlEQVR4nGNkYGBg0EBHLEYMDAwMnGgILiqEjJBFpeEITVQFggDBQwOMBPVl
        jwAAAABJRU5ErkJggg==
        """)
    /// The picture with an alpha of 77, of 0 in its first pixel.
    static let pngRGBA = decoded("""
        iVBORw0KGgoAAAANSUhEUgAAAAcAAAAFCAYAAACJmvbYAAAAM0lEQVR4nGNkYGBgYNBg8GXQYGBAxyxGDAy+DAycDNgwixEDA5QjhIHRJKVR
        MBZJFTgGAEvFBCbZlBxbAAAAAElFTkSuQmCC
        """)
    /// The picture in 35 palette colours.
    static let pngPalette = decoded("""
        iVBORw0KGgoAAAANSUhEUgAAAAcAAAAFCAMAAAC+RAbqAAAAaVBMVEXI8NiW8KLIyLSWyIdk8GxkyFrIoJCWoGxkoEgy8DYA8AAyyC0AyAAy
        oCQAoADIeGyWeFFkeDYyeBsAeADIUEiWUDbIKCSWKBtkUCRkKBLIAACWAABkAAAyUBIAUAAyKAkAKAAyAAAAAADmyqm6AAAAMElEQVR4nGNQ
        UpAT5uPhYlCUlxXi5eZkkJGUEORgZWGQFhcVYGdmZJASE+FnY2IAADZcAlQ2/UBAAAAAAElFTkSuQmCC
        """)
    /// 16-bit gray: 257 · 40 · [[0, 1, 2], [3, 4, 5]].
    static let pngGray16 = decoded("""
        iVBORw0KGgoAAAANSUhEUgAAAAMAAAACEAAAAADoj+WFAAAAFklEQVR4nGNkYNDQ0NBgrKjQ0NDQAAAMywIzR967sgAAAABJRU5ErkJggg==
        """)
    /// The picture with quality 90.
    static let jpeg = decoded("""
        /9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAMCAgMCAgMDAwMEAwMEBQgFBQQEBQoHBwYIDAoMDAsKCwsNDhIQDQ4RDgsLEBYQERMUFRUVDA8X
        GBYUGBIUFRT/2wBDAQMEBAUEBQkFBQkUDQsNFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBT/wAAR
        CAAFAAcDASIAAhEBAxEB/8QAHwAAAQUBAQEBAQEAAAAAAAAAAAECAwQFBgcICQoL/8QAtRAAAgEDAwIEAwUFBAQAAAF9AQIDAAQRBRIhMUEG
        E1FhByJxFDKBkaEII0KxwRVS0fAkM2JyggkKFhcYGRolJicoKSo0NTY3ODk6Q0RFRkdISUpTVFVWV1hZWmNkZWZnaGlqc3R1dnd4eXqDhIWG
        h4iJipKTlJWWl5iZmqKjpKWmp6ipqrKztLW2t7i5usLDxMXGx8jJytLT1NXW19jZ2uHi4+Tl5ufo6erx8vP09fb3+Pn6/8QAHwEAAwEBAQEB
        AQEBAQAAAAAAAAECAwQFBgcICQoL/8QAtREAAgECBAQDBAcFBAQAAQJ3AAECAxEEBSExBhJBUQdhcRMiMoEIFEKRobHBCSMzUvAVYnLRChYk
        NOEl8RcYGRomJygpKjU2Nzg5OkNERUZHSElKU1RVVldYWVpjZGVmZ2hpanN0dXZ3eHl6goOEhYaHiImKkpOUlZaXmJmaoqOkpaanqKmqsrO0
        tba3uLm6wsPExcbHyMnK0tPU1dbX2Nna4uPk5ebn6Onq8vP09fb3+Pn6/9oADAMBAAIRAxEAPwCX9iL4NaJeadCXX/lkf4B6UUUV8XRyrA4y
        CrYikpSe7ZwcfcN5RHiCulho/cf/2Q==
        """)
    /// Pillow's gray picture.
    static let gray: [UInt8] = [
        0, 23, 47, 70, 94, 117, 141, 15, 39, 64, 88, 113, 137, 162, 30, 55, 81, 106, 132, 158, 183, 45, 71, 98, 125,
        151, 178, 204, 60, 87, 115, 143, 170, 198, 225
    ]
    /// Pillow's pixels of the JPEG.
    static let jpegPixels: [UInt8] = [
        8, 0, 0, 19, 29, 0, 22, 68, 4, 20, 108, 8, 12, 149, 10, 16, 189, 19, 21, 222, 30, 43, 10, 0, 54, 40, 11, 58,
        79, 22, 56, 120, 33, 50, 160, 37, 52, 201, 49, 59, 235, 64, 86, 6, 0, 98, 37, 16, 103, 75, 35, 102, 117, 52,
        98, 157, 65, 102, 199, 84, 108, 233, 103, 131, 12, 6, 144, 42, 28, 148, 81, 54, 150, 123, 78, 147, 163, 100,
        151, 204, 126, 158, 238, 149, 168, 16, 11, 181, 47, 38, 186, 86, 70, 189, 128, 100, 186, 168, 132, 191, 208,
        164, 198, 242, 193
    ]
    /// Pillow's bilinear resize of the picture, as floats, to 3 × 4.
    static let resized3x4: [Float] = [
        21.4286, 20.9524, 2.02041, 21.4286, 83.2, 8.02286, 21.4286, 156.8, 15.12, 21.4286, 219.048, 21.1224, 100,
        20.9524, 9.42857, 100, 83.2, 37.44, 100, 156.8, 70.56, 100, 219.048, 98.5714, 178.571, 20.9524, 16.8367,
        178.571, 83.2, 66.8571, 178.571, 156.8, 126, 178.571, 219.048, 176.02
    ]
    /// Pillow's bilinear resize of the picture, as floats, to 6 × 9.
    static let resized6x9: [Float] = [
        0, 0, 0, 0, 26.6667, 0, 0, 57.7778, 0, 0, 88.8889, 0, 0, 120, 0, 0, 151.111, 0, 0, 182.222, 0, 0, 213.333,
        0, 0, 240, 0, 37.5, 0, 0, 37.5, 26.6667, 4.5, 37.5, 57.7778, 9.75, 37.5, 88.8889, 15, 37.5, 120, 20.25,
        37.5, 151.111, 25.5, 37.5, 182.222, 30.75, 37.5, 213.333, 36, 37.5, 240, 40.5, 79.1667, 0, 0, 79.1667,
        26.6667, 9.5, 79.1667, 57.7778, 20.5833, 79.1667, 88.8889, 31.6667, 79.1667, 120, 42.75, 79.1667, 151.111,
        53.8333, 79.1667, 182.222, 64.9167, 79.1667, 213.333, 76, 79.1667, 240, 85.5, 120.833, 0, 0, 120.833,
        26.6667, 14.5, 120.833, 57.7778, 31.4167, 120.833, 88.8889, 48.3333, 120.833, 120, 65.25, 120.833, 151.111,
        82.1667, 120.833, 182.222, 99.0833, 120.833, 213.333, 116, 120.833, 240, 130.5, 162.5, 0, 0, 162.5, 26.6667,
        19.5, 162.5, 57.7778, 42.25, 162.5, 88.8889, 65, 162.5, 120, 87.75, 162.5, 151.111, 110.5, 162.5, 182.222,
        133.25, 162.5, 213.333, 156, 162.5, 240, 175.5, 200, 0, 0, 200, 26.6667, 24, 200, 57.7778, 52, 200, 88.8889,
        80, 200, 120, 108, 200, 151.111, 136, 200, 182.222, 164, 200, 213.333, 192, 200, 240, 216
    ]

    private static func decoded(_ base64: String) -> [UInt8] {
        [UInt8](Data(base64Encoded: base64, options: .ignoreUnknownCharacters)!)
    }
}
